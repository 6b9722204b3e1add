"""What ``truing judge`` says about a comparison: win rate, agreement with labels, the judge itself, cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from truing.judging.bench import Judged
from truing.judging.items import Item, majority
from truing.judging.measures import Agreement, Comparison, agreement, agreement_by_order, comparison, first_place
from truing.judging.verdict import Winner
from truing.rewards.algebra.context import prompt_key
from truing.statistics import Estimate

_LEFT_OUT_IF_EMPTY = ("details", "by_subset", "agreement_by_subset", "agreement_by_order", "leans", "usage")


@dataclass(frozen=True)
class Annotators:
    """Several people who labelled the same pairs.

    Attributes:
        alone: each one's agreement with what the others say, where these agree.
        pairs: the agreement of every two.
        fleiss: Fleiss' kappa of all; nan where they give one label alone.
    """

    alone: list[Agreement]
    pairs: list[Agreement]
    fleiss: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "alone": [own.as_dict() for own in self.alone],
            "pairs": [own.as_dict() for own in self.pairs],
            "fleiss_kappa": self.fleiss,
        }


@dataclass(frozen=True)
class Summary:
    """All that is known after judging.

    Attributes:
        judge: its name.
        protocol: by name.
        merging: how often was asked, and what was made of it, in words.
        models: who wrote A and B, where all pairs say the same.
        comparison: of A against B.
        by_subset: the same for parts of the data, the largest first; empty where there is one.
        agreement: with labels, by who gave them.
        agreement_by_subset: the same for parts of the data.
        agreement_by_order: what each order alone would have agreed with, where pairs were shown in several.
        leans: to a place and to a letter, −1 to 1, where the protocol tells them apart.
        shown_first: share of recorded opinions for the answer that stood first, where that is recorded.
        annotators: where the data has several.
        details: what the protocol tells besides.
        notes: what a reader should know.
        asked: opinions that were asked for.
        usage: calls, tokens and cost of each judge that counts them.
    """

    judge: str
    protocol: str
    merging: str
    models: tuple[str, str] | None
    comparison: Comparison
    by_subset: dict[str, Comparison]
    agreement: dict[str, Agreement]
    agreement_by_subset: dict[str, Agreement]
    agreement_by_order: dict[str, Agreement]
    leans: dict[str, Estimate]
    shown_first: Estimate | None
    annotators: Annotators | None
    details: dict[str, Any]
    notes: list[str]
    asked: int
    usage: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            name: _plain(value)
            for name, value in vars(self).items()
            if value is not None and (value or name not in _LEFT_OUT_IF_EMPTY)
        }


def summary(
    items: Sequence[Item],
    judged: Judged,
    *,
    judge: str,
    protocol: str,
    merging: str,
    recorded: bool = False,
    seed: int = 0,
    usage: Sequence[dict[str, Any]] = (),
    notes: Sequence[str] = (),
) -> Summary:
    """Everything about verdicts on items.

    Args:
        items: the pairs.
        judged: verdicts on them.
        judge, protocol: names.
        merging: how often was asked, and what was made of it, in words.
        recorded: whether the verdicts are the file's own; it would be idle to compare a label with itself.
        seed: of bootstraps.
        usage: of the judges.
        notes: what a reader should know.
    """
    verdicts = judged.verdicts
    prompts = [prompt_key(item.pair.prompt) for item in items]
    winners: list[Winner] = [verdict.winner for verdict in verdicts]
    labels: list[Winner | None] = [None if recorded and item.recorded_by is None else item.label for item in items]
    subsets = _subsets(items)

    def of(places: Sequence[int]) -> Comparison:
        return comparison([verdicts[place] for place in places], [prompts[place] for place in places], seed)

    def against(places: Sequence[int]) -> Agreement:
        return agreement([winners[place] for place in places], [labels[place] for place in places])

    givers = _groups([item.labelled_by if label else None for item, label in zip(items, labels, strict=True)])
    models = {item.models for item in items}
    shown = [
        (item.as_shown, prompt)
        for item, prompt in zip(items, prompts, strict=True)
        if recorded and item.as_shown is not None
    ]
    votes = [item.votes for item in items if item.votes]
    return Summary(
        judge=judge,
        protocol=protocol,
        merging=merging,
        models=models.pop() if len(models) == 1 else None,
        comparison=of(range(len(items))),
        by_subset={name: of(places) for name, places in subsets.items()},
        agreement={name: against(places) for name, places in givers.items()},
        agreement_by_subset={name: against(places) for name, places in subsets.items()} if givers else {},
        agreement_by_order=agreement_by_order(verdicts, labels) if givers else {},
        leans=judged.leans,
        shown_first=first_place(*zip(*shown, strict=True)) if shown else None,
        annotators=_annotators(votes) if votes else None,
        details=judged.details,
        notes=[*notes, *_own_judge(judge, items)],
        asked=judged.asked,
        usage=list(usage),
    )


def _groups(names: Sequence[str | None]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if name is not None:
            found.setdefault(name, []).append(place)
    return found


def _subsets(items: Sequence[Item]) -> dict[str, list[int]]:
    found = _groups([item.subset for item in items])
    if len(found) < 2:
        return {}
    return dict(sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0])))


def _own_judge(judge: str, items: Sequence[Item]) -> Iterator[str]:
    """Judges like what they wrote."""
    known = {model for item in items if item.models for model in item.models}
    if judge in known:
        yield f"judge {judge!r} is one of the models that are compared: its verdicts may favour its own answers"


def _annotators(votes: Sequence[tuple[Winner, ...]]) -> Annotators:
    from statsmodels.stats.inter_rater import fleiss_kappa

    count = len(votes[0])
    columns = [[row[number] for row in votes] for number in range(count)]
    alone = []
    for number in range(count):
        others: list[Winner | None] = []
        for row in votes:
            rest = [*row[:number], *row[number + 1 :]]
            others.append(majority(rest) if len(set(rest)) == 1 else None)
        alone.append(agreement(columns[number], others))
    pairs = [agreement(columns[one], [*columns[other]]) for one, other in combinations(range(count), 2)]
    table = np.array([[row.count(name) for name in ("A", "tie", "B")] for row in votes])
    used = table[:, table.sum(0) > 0]
    # Where all say the same of everything, nothing is left that chance would not give.
    return Annotators(alone, pairs, float(fleiss_kappa(used)) if used.shape[1] > 1 else math.nan)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.as_dict() if hasattr(value, "as_dict") else value
