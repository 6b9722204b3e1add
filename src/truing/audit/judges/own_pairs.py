"""Recorded verdicts of a judge on its own answers, beside those of others on the same pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from truing.audit.judges.self_preference import SelfPreference, self_preference
from truing.errors import DataError
from truing.judging.items import Item
from truing.judging.verdict import Winner
from truing.rewards.algebra.context import prompt_key

Key = tuple[str, str, str]
_SHARES: dict[Winner | None, float] = {"A": 1.0, "B": 0.0, "tie": 0.5}


@dataclass(frozen=True)
class OwnAnswers:
    """What was compared, and what came of it.

    Attributes:
        judge, reference: whose verdicts.
        own: names under which the judge's answers go.
        left_out: pairs with two own answers or none.
        unmatched: pairs with one of which judge or reference has no verdict.
        found: the numbers.
    """

    judge: str
    reference: str
    own: tuple[str, ...]
    left_out: int
    unmatched: int
    found: SelfPreference

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**vars(self), "own": list(self.own), "found": self.found.as_dict()}

    def sentences(self) -> list[str]:
        """For people."""
        lines = [f"Judge {self.judge}, own answers by {', '.join(self.own)}; reference {self.reference}."]
        if self.left_out:
            lines.append(f"{self.left_out:,} pairs hold two own answers or none, and were left out.")
        if self.unmatched:
            lines.append(f"{self.unmatched:,} pairs lack a verdict of the judge or of the reference.")
        return [*lines, *self.found.sentences()]


def audit_self_preference(
    items: Sequence[Item], own: Sequence[str], others: Sequence[Item] | None = None
) -> OwnAnswers:
    """Compare a judge with a reference.

    Args:
        items: the judge's verdicts.
        own: names of the models whose answers are the judge's own, or its family's.
        others: verdicts of the reference on the same pairs, in either order; the labels of ``items`` if left out.

    Raises:
        DataError: if authors are unknown, no pair holds one own answer, or nobody else has judged one.
    """
    authors = sorted({name for item in items if item.models for name in item.models})
    missing = [name for name in own if name not in authors]
    if not own or missing:
        raise DataError(
            f"nobody called {missing[0]!r} has written an answer"
            if missing
            else "whose answers are the judge's own?",
            where="--own",
            allowed=", ".join(authors[:20]) or "files that say who wrote the answers, e.g. model_a and model_b",
        )
    mixed = [item for item in items if item.models and sum(name in own for name in item.models) == 1]
    if not mixed:
        raise DataError(
            "no pair holds an own answer and another's", where="--own", allowed=", ".join(authors[:20])
        )
    known = _labels(mixed) if others is None else _recorded(others)
    judged, beside, prompts, written = [], [], [], []
    for item in mixed:
        assert item.models is not None
        first = item.models[0] in own
        mine, theirs = _own(item.recorded.first, first), _own(known.get(_key(item)), first)
        if math.isfinite(mine) and math.isfinite(theirs):
            judged.append(mine)
            beside.append(theirs)
            prompts.append(prompt_key(item.pair.prompt))
            written.append(item.models[1] if first else item.models[0])
    if not judged:
        raise DataError(
            "nobody besides the judge has a verdict on these pairs: its own answers may simply be better",
            where="--reference",
            allowed="a file of verdicts of people or of another judge on the same pairs, or labels in the file itself",
            fix="judge labelled pairs (truing judge FILE --judge NAME --output VERDICTS), or give --reference FILE",
        )
    found = self_preference(judged, beside, prompts=prompts, authors=written)
    return OwnAnswers(
        _names([item.recorded_by or item.labelled_by for item in mixed]),
        _names([item.labelled_by for item in (mixed if others is None else others) if item.label is not None]),
        tuple(own),
        len(items) - len(mixed),
        len(mixed) - len(judged),
        found,
    )


def _labels(items: Sequence[Item]) -> dict[Key, float]:
    """Of a file with verdicts of a judge and labels of others, the labels, as shares of A."""
    return {
        _key(item): _SHARES[item.label] for item in items if item.recorded_by is not None and item.label in _SHARES
    }


def _recorded(items: Sequence[Item]) -> dict[Key, float]:
    """Mean shares of A, of all verdicts on a pair, in both orders."""
    found: dict[Key, list[float]] = {}
    for item in items:
        share = item.recorded.first
        if share is not None:
            prompt, a, b = _key(item)
            found.setdefault((prompt, a, b), []).append(share)
            found.setdefault((prompt, b, a), []).append(1 - share)
    return {key: math.fsum(shares) / len(shares) for key, shares in found.items()}


def _own(share: float | None, first: bool) -> float:
    return math.nan if share is None else share if first else 1 - share


def _key(item: Item) -> Key:
    return prompt_key(item.pair.prompt), item.pair.a, item.pair.b


def _names(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))
