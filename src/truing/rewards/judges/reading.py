"""What a judge's reply says: a score, or which of two answers is better. Replies are parsed, never evaluated."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_LONGEST = 50_000
"""Characters that are looked at, from the end."""


@dataclass(frozen=True)
class ScoreReader:
    """Reads ``{"score": 7}`` from a reply.

    Args:
        low, high: scores outside are no scores.
    """

    low: float
    high: float

    def __call__(self, reply: str) -> float | None:
        """The score; ``None`` where the reply has none, or one that is out of bounds."""
        value = last_said(reply, "score")
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if self.low <= value <= self.high and math.isfinite(value) else None


_VERDICTS = {"a": 1.0, "b": 0.0, "tie": 0.5}


def read_verdict(reply: str) -> float | None:
    """Reads ``{"verdict": "A"}``: 1 for A, 0 for B, one half for a tie; ``None`` where the reply says neither."""
    value = last_said(reply, "verdict")
    return _VERDICTS.get(value.strip().lower()) if isinstance(value, str) else None


def read_order(reply: str, count: int) -> list[int] | None:
    """Reads ``{"ranking": [2, 1, 3]}``: numbers from 0, the best first; ``None`` unless every answer is there once."""
    value = last_said(reply, "ranking")
    if not isinstance(value, list) or any(isinstance(number, bool) for number in value):
        return None
    found = [number - 1 for number in value if isinstance(number, int)]
    return found if len(found) == len(value) and sorted(found) == list(range(count)) else None


def last_said(reply: str, key: str) -> Any:
    """The value of a key in the last JSON object that has it. What a judge quotes stands before what it says."""
    found = None
    for item in _objects(reply[-_LONGEST:]):
        found = item.get(key, found)
    return found


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """JSON objects in a text, in order; what is inside of one is not looked at again."""
    decoder, place = json.JSONDecoder(), 0
    while (place := text.find("{", place)) >= 0:
        try:
            found, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            place += 1
            continue
        yield found
