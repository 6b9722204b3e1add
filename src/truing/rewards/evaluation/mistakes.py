"""The pairs that a reward is surest of and wrong about, with their texts: what a person should read first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from truing.data.records import Records
from truing.json_values import plain
from truing.rewards.evaluation.pairs import JudgedPairs

MOST = 12


@dataclass(frozen=True)
class Mistake:
    """A pair in the wrong order.

    Attributes:
        id: of the record.
        subset: which it belongs to; empty text where that is not said.
        log_odds: that the chosen answer is preferred, below 0.
        tokens: of chosen and rejected.
        prompt, chosen, rejected: as text.
    """

    id: str
    subset: str
    log_odds: float
    tokens: tuple[int, int]
    prompt: str
    chosen: str
    rejected: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(asdict(self))
        return found


def surest_mistakes(judged: JudgedPairs, records: Records, *, most: int = MOST) -> list[Mistake]:
    """The pairs with the most negative log-odds, the worst first.

    Args:
        judged: what the reward says.
        records: the pairs, with their texts.
        most: how many at most.
    """
    odds = judged.log_odds
    order = [int(i) for i in np.argsort(odds, kind="stable")[:most] if odds[i] < 0]
    place = {str(name): number for number, name in enumerate(records.dataset["id"])}
    found = []
    for i in order:
        row = records.dataset[place[judged.ids[i]]]
        texts = [as_text(row[column]) for column in ("prompt", "chosen", "rejected")]
        chosen, rejected = (int(n) for n in judged.lengths[i])
        found.append(Mistake(judged.ids[i], judged.subsets[i], float(odds[i]), (chosen, rejected), *texts))
    return found


def as_text(value: str | Sequence[dict[str, str]]) -> str:
    """A prompt or an answer to be read; of several messages, each with its role in front."""
    if isinstance(value, str):
        return value
    if len(value) == 1:
        return value[0]["content"]
    return "\n\n".join(f"{message['role']}: {message['content']}" for message in value)
