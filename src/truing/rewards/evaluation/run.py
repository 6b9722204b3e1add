"""Reward models on a data set of labelled pairs, one or several beside each other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from truing.data.records import Records
from truing.data.sources import load
from truing.data.views import view
from truing.errors import DataError, TruingError
from truing.json_values import plain
from truing.policies.precision import Precision
from truing.rewards.evaluation.findings import pair_findings
from truing.rewards.evaluation.pairs import JudgedPairs, PairReport, judge_pairs
from truing.rewards.models.model import RewardModel
from truing.statistics import Estimate, mean, rank_correlation
from truing.training.examples import ExampleData
from truing.writing import write_json, write_text

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Agreement:
    """How far two reward models say the same of the same pairs.

    Attributes:
        models: their names.
        order: share of pairs that both put in the same order.
        gaps: rank correlation of their log-odds.
    """

    models: tuple[str, str]
    order: Estimate
    gaps: Estimate


@dataclass(frozen=True)
class RewardEvaluation:
    """What labelled pairs tell about reward models.

    Attributes:
        data: where the pairs come from.
        judged: every model's log-odds, by name.
        reports: what they add up to, by name.
        agreement: of every two models.
    """

    data: str
    judged: dict[str, JudgedPairs]
    reports: dict[str, PairReport]
    agreement: tuple[Agreement, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(
            {
                "data": self.data,
                "models": {name: report.as_dict() for name, report in self.reports.items()},
                "agreement": [
                    {"models": list(a.models), "order": a.order.as_dict(), "gaps": a.gaps.as_dict()}
                    for a in self.agreement
                ],
            }
        )
        return found

    def sentences(self) -> list[str]:
        """What a person should know, model by model."""
        lines = []
        for name, report in self.reports.items():
            lines.append(name)
            lines += [f"  {finding.sentence}" for finding in pair_findings(report)]
            if len(report.subsets) > 1:
                lines.append(f"  Mean accuracy over {len(report.subsets)} subsets: {report.macro_accuracy:.1%}.")
                lines += [
                    f"    {subset}: {e.value:.1%} ({e.low:.1%} to {e.high:.1%}, {e.n} pairs)"
                    for subset, e in report.subsets.items()
                ]
        for pair in self.agreement:
            lines.append(
                f"{pair.models[0]} and {pair.models[1]} order {pair.order.value:.1%} of pairs alike; rank correlation "
                f"of their gaps {pair.gaps.value:.2f} ({pair.gaps.low:.2f} to {pair.gaps.high:.2f})."
            )
        return lines

    def write(self, folder: Path) -> None:
        """Write ``reward.json`` and, for each pair, what every model says of it, ``pairs.jsonl``."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "reward.json", self.as_dict())
        odds = {
            name: dict(zip(judged.ids, map(float, judged.log_odds), strict=True))
            for name, judged in self.judged.items()
        }
        ids = list(dict.fromkeys(name for judged in self.judged.values() for name in judged.ids))
        rows = ({"id": i, "log_odds": {name: own.get(i) for name, own in odds.items()}} for i in ids)
        write_text(folder / "pairs.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def evaluate_rewards(
    models: Sequence[str],
    data: str,
    *,
    by: str = "source",
    max_length: int = 2048,
    precision: str = "auto",
) -> RewardEvaluation:
    """Judge pairs with reward models, one model in memory at a time.

    Args:
        models: folders or hub names; each tokenises the text itself.
        data: file, folder, glob or hub data set; rankings are read as best against worst.
        by: column of text that says which subset a pair belongs to.
        max_length: tokens of prompt plus completion; longer prompts lose their beginning.
        precision: auto, float32 or bfloat16.

    Raises:
        TruingError: on anything the user can mend.
    """
    if precision not in PRECISIONS:
        raise TruingError(f"unknown precision {precision!r}", where="--precision", allowed=", ".join(PRECISIONS))
    doubled = [name for name in set(models) if list(models).count(name) > 1]
    if doubled:
        raise TruingError(f"the model {doubled[0]!r} is named twice", fix="name every model once")
    records = view(load(data), frozenset({"pairs"}))
    subsets = subsets_of(records, by)
    judged = {}
    for name in models:
        model = RewardModel.load(name, precision=cast("Precision", precision))
        examples = ExampleData(model.encode(records, max_length=max_length).dataset, records.kind)
        judged[name] = judged_pairs(model, examples, subsets)
    names = list(models)
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    return RewardEvaluation(
        data,
        judged,
        {name: judge_pairs(own) for name, own in judged.items()},
        tuple(_agreement(a, b, judged[a], judged[b]) for a, b in pairs),
    )


def subsets_of(records: Records, by: str) -> dict[str, str]:
    """Which subset every record belongs to, by its id; empty text where that is not said.

    Raises:
        DataError: if the column holds no text.
    """
    ids = [str(name) for name in records.dataset["id"]]
    if by not in records.dataset.column_names:
        return dict.fromkeys(ids, "")
    values = records.dataset[by]
    if any(value is not None and not isinstance(value, str) for value in values):
        raise DataError(f"the column {by!r} does not name subsets", where="--by", fix="name a column of text")
    return {name: value or "" for name, value in zip(ids, values, strict=True)}


def judged_pairs(model: RewardModel, examples: ExampleData, subsets: Mapping[str, str]) -> JudgedPairs:
    """What a reward model says of tokenised pairs.

    Args:
        model: whose tokens they are.
        examples: pairs.
        subsets: which subset a record belongs to, by its id.
    """
    everything = range(len(examples))
    trees = examples.trees(everything)
    ids = [str(row["id"]) for row in examples.take(everything)]
    return JudgedPairs(
        ids=ids,
        rewards=model.pair_rewards(trees).numpy(),
        lengths=np.array([[len(branch) for branch in tree.branches] for tree in trees]),
        subsets=[subsets[name] for name in ids],
    )


def _agreement(first: str, second: str, one: JudgedPairs, other: JudgedPairs) -> Agreement:
    """On the pairs that both have."""
    own = dict(zip(one.ids, one.log_odds, strict=True))
    shared = [(own[name], odds) for name, odds in zip(other.ids, other.log_odds, strict=True) if name in own]
    left, right = (np.array(side) for side in zip(*shared, strict=True)) if shared else (np.zeros(0), np.zeros(0))
    return Agreement((first, second), mean(np.sign(left) == np.sign(right)), rank_correlation(left, right))
