"""Held-out records under the policy before and after: every row's log-probabilities, and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from truing.objectives.algebra import Scores
from truing.policies.causal import CausalPolicy, sequence_logps
from truing.policies.packing import Tree
from truing.statistics import Estimate, paired_difference, rate
from truing.training.examples import ExampleData


@dataclass(frozen=True)
class RowScores:
    """Log-probabilities of completions, one entry for each.

    Attributes:
        logps: nats per completion, shape ``[N]``.
        lengths: tokens per completion, shape ``[N]``.
    """

    logps: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, scores: Scores) -> RowScores:
        return cls(sequence_logps(scores).double().cpu().numpy(), scores.lengths.cpu().numpy())

    @property
    def per_token(self) -> np.ndarray:
        mean: np.ndarray = self.logps / np.maximum(self.lengths, 1)
        return mean


@dataclass(frozen=True)
class HeldOut:
    """What a training run did to held-out records.

    Attributes:
        ids: the records.
        kind: their kind.
        before, after: scores of all completions.
        chosen, rejected: which completions play which role.
        metrics: see :func:`compare`.
    """

    ids: list[str]
    before: RowScores
    after: RowScores
    chosen: np.ndarray
    rejected: np.ndarray
    paired: bool
    metrics: dict[str, Estimate]

    def rows(self) -> list[dict[str, Any]]:
        """One mapping per record, for ``held_out.jsonl``."""
        found = []
        for number, name in enumerate(self.ids):
            row: dict[str, Any] = {"id": name}
            for role, index in (("chosen", self.chosen), ("rejected", self.rejected)):
                if self.paired or role == "chosen":
                    if number >= len(index):
                        continue
                    place = int(index[number])
                    row[f"{role}_logp_before"] = round(float(self.before.logps[place]), 4)
                    row[f"{role}_logp_after"] = round(float(self.after.logps[place]), 4)
                    row[f"{role}_tokens"] = int(self.after.lengths[place])
            found.append(row)
        return found


def compare(data: ExampleData, before: RowScores, after: RowScores) -> HeldOut:
    """Accuracies and likelihoods of held-out records, before and after.

    Metrics (each with a 95 % interval over records):
        ``ranking_accuracy_before`` / ``_after``: the chosen answer is the likelier one.
        ``ranking_accuracy_change``: paired difference of the two.
        ``reward_accuracy``: the chosen answer's log-ratio rose more than the rejected one's.
        ``reward_margin``: difference of the two log-ratios, nats.
        ``chosen_logp_change`` / ``rejected_logp_change``: nats per token.
    """
    from truing.training.roles import roles

    rows = data.take(range(len(data)))
    batch = roles(data.kind, rows)
    chosen, rejected = batch.chosen.numpy(), batch.rejected.numpy()
    paired = batch.paired and len(chosen) == len(rejected)
    metrics: dict[str, Estimate] = {}
    for role, index in (("chosen", chosen), ("rejected", rejected)):
        if len(index):
            metrics[f"{role}_logp_change"] = paired_difference(after.per_token[index], before.per_token[index])
    if paired:
        ranked = {name: s.logps[chosen] > s.logps[rejected] for name, s in (("before", before), ("after", after))}
        for name, right in ranked.items():
            metrics[f"ranking_accuracy_{name}"] = rate(int(right.sum()), len(right))
        metrics["ranking_accuracy_change"] = paired_difference(ranked["after"], ranked["before"])
        ratio = after.logps - before.logps
        margin = ratio[chosen] - ratio[rejected]
        metrics["reward_accuracy"] = rate(int((margin > 0).sum()), len(margin))
        metrics["reward_margin"] = paired_difference(ratio[chosen], ratio[rejected])
    ids = [str(row["id"]) for row in rows]
    return HeldOut(ids, before, after, chosen, rejected, paired, metrics)


def against(found: HeldOut, opposite: RowScores) -> HeldOut:
    """With what the model's own control says: the same answers where it is asked for the opposite.

    Metrics: ``control_gap_chosen`` / ``_rejected``, log-probability as asked minus that under the opposite, nats an
    answer; ``control_accuracy``, the share of pairs whose chosen answer has the larger gap.

    Args:
        found: the answers as the model is asked.
        opposite: the same answers where it is asked for the opposite.
    """
    gap = found.after.logps - opposite.logps
    metrics = dict(found.metrics)
    for role, index in (("chosen", found.chosen), ("rejected", found.rejected)):
        if len(index):
            metrics[f"control_gap_{role}"] = paired_difference(found.after.logps[index], opposite.logps[index])
    if found.paired:
        right = gap[found.chosen] > gap[found.rejected]
        metrics["control_accuracy"] = rate(int(right.sum()), len(right))
    return replace(found, metrics=metrics)


def score_rows(policy: CausalPolicy, data: ExampleData, budget: int, front: Sequence[int] = ()) -> RowScores:
    """Scores of every completion of every record, with some token ids in front of every prompt."""
    trees = [Tree([*front, *tree.prompt], tree.branches) for tree in data.trees(range(len(data)))]
    with policy.evaluating():
        return RowScores.of(policy.score_all(trees, budget=budget))


def reference_rows(values: np.ndarray, lengths: Sequence[int]) -> RowScores:
    """Row scores from per-token reference values."""
    array = np.asarray(lengths)
    ends = array.cumsum()
    sums = np.array([values[end - n : end].astype(np.float64).sum() for n, end in zip(array, ends, strict=True)])
    return RowScores(sums, array.astype(np.float64))
