"""What asking a judge cost: calls, tokens, money."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any


@dataclass
class Usage:
    """Counts, safe to change from several threads.

    Args:
        price_in, price_out: of a million tokens of questions and of replies; in any currency.

    Attributes:
        calls: replies that came.
        failures: attempts that failed and were made again.
        unreadable: replies that said nothing of use.
        cached: questions that the cache answered.
        tokens_in, tokens_out: as the server counts them.
    """

    price_in: float = 0.0
    price_out: float = 0.0
    calls: int = 0
    failures: int = 0
    unreadable: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, **counts: int) -> None:
        """Add to counts by name."""
        with self._lock:
            for name, count in counts.items():
                setattr(self, name, getattr(self, name) + count)

    @property
    def cost(self) -> float:
        """What the tokens cost, in the currency of the prices."""
        return (self.tokens_in * self.price_in + self.tokens_out * self.price_out) / 1e6

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        names = ("calls", "failures", "unreadable", "cached", "tokens_in", "tokens_out", "cost")
        return {name: getattr(self, name) for name in names}


def usage_in(piece: object) -> Usage | None:
    """What a scorer's judge used, however the judge is wrapped; ``None`` where it asks nobody."""
    own = getattr(piece, "usage", None)
    if isinstance(own, Usage):
        return own
    if not is_dataclass(piece):
        return None
    inner = (usage_in(getattr(piece, part.name)) for part in fields(piece))
    return next((found for found in inner if found is not None), None)


def added(before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Counts of a run that went on, with those from before it was interrupted, by judge."""
    return {
        name: {key: value + before.get(name, {}).get(key, 0) for key, value in counts.items()}
        for name, counts in now.items()
    }
