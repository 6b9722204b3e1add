"""What a model did, item by item, so that methods can be compared on the same prompts and pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truing.arenas.shared import Exam
from truing.evaluation import text_metrics
from truing.evaluation.diversity import distinct_share, self_bleu
from truing.evaluation.samples import Answers
from truing.rewards.scorers import SCORERS, load_scorer
from truing.statistics import Estimate, averaged, mean, rate

# Of a measure: what it is called in tables, and its unit.
NAMES = {
    "win_rate": "win rate against the starting model",
    "accuracy": "held-out preference accuracy",
    "kl": "KL from the starting model, nats an answer",
    "chosen_change": "change of chosen answers, nats a token",
    "rejected_change": "change of rejected answers, nats a token",
    "length": "length of answers, tokens",
    "distinct_2": "distinct 2-grams",
    "self_bleu": "self-BLEU",
}


@dataclass(frozen=True)
class Start:
    """The starting model on the exam.

    Attributes:
        exam: prompts and pairs.
        answers: its own.
        logps: of held-out answers, nats, chosen and rejected by turns.
        judge: scorer that decides who wins; ``None`` without one.
    """

    exam: Exam
    answers: Answers
    logps: np.ndarray
    judge: str | None

    def scores(self, answers: Answers) -> dict[str, np.ndarray]:
        """Every scorer's numbers, one per answer."""
        return {entry.name: load_scorer(entry.name).scores(answers.texts) for entry in SCORERS}


@dataclass(frozen=True)
class Items:
    """One model's numbers, item by item; what was not measured is missing.

    Attributes:
        values: by measure, shape ``[items]``; items are prompts, held-out pairs, or answers.
        answers: token ids, for measures of a whole set.
    """

    values: Mapping[str, np.ndarray]
    answers: Sequence[Sequence[int]]

    def estimates(self) -> dict[str, Estimate]:
        """Every measure with its 95 % interval."""
        found = {name: _estimate(name, values) for name, values in self.values.items()}
        if self.answers:
            found["distinct_2"] = distinct_share(self.answers)
        return found


def items_of(start: Start, measured: Mapping[str, Any]) -> Items:
    """What a trained model did.

    Args:
        start: the starting model on the same exam.
        measured: as :func:`truing.arenas.judging.measure` wrote it.
    """
    answers = Answers(measured["tokens"], measured["texts"])
    values: dict[str, np.ndarray] = {}
    each = start.exam.per_prompt
    if answers.texts:
        before, after = start.scores(start.answers), start.scores(answers)
        for name, new in after.items():
            values[f"{name}_change"] = averaged(new - before[name], each)
        if start.judge is not None:
            gap = after[start.judge] - before[start.judge]
            values["win_rate"] = averaged(np.where(gap > 0, 1.0, np.where(gap < 0, 0.0, 0.5)), each)
        lengths = text_metrics.lengths(answers.tokens)
        values["length"] = averaged(lengths, each)
        values["length_change"] = averaged(lengths - text_metrics.lengths(start.answers.tokens), each)
        values["repetition"] = averaged(np.array([text_metrics.repetition(t) for t in answers.tokens]), each)
        values["self_bleu"] = self_bleu(answers.tokens)
        values["kl"] = np.asarray(measured["kl"], dtype=np.float64)
    values |= _of_pairs(start, np.asarray(measured["pair_logps"], dtype=np.float64))
    return Items(values, answers.tokens)


def start_items(start: Start) -> Items:
    """The starting model in the place of a trained one: it ties with itself on every item."""
    kl = np.zeros(len(start.exam.prompts[:: start.exam.per_prompt]))
    stored = {
        "tokens": start.answers.tokens,
        "texts": start.answers.texts,
        "kl": kl.tolist(),
        "pair_logps": start.logps.tolist(),
    }
    return items_of(start, stored)


def _of_pairs(start: Start, after: np.ndarray) -> dict[str, np.ndarray]:
    if not len(after):
        return {}
    ratio = (after - start.logps).reshape(-1, 2)
    lengths = np.array([len(branch) for tree in start.exam.pairs for branch in tree.branches]).reshape(-1, 2)
    gap = ratio[:, 0] - ratio[:, 1]
    return {
        "accuracy": np.where(gap > 0, 1.0, np.where(gap < 0, 0.0, 0.5)),
        "margin": gap,
        "chosen_change": ratio[:, 0] / lengths[:, 0],
        "rejected_change": ratio[:, 1] / lengths[:, 1],
    }


def over_seeds(runs: Sequence[Items]) -> Items:
    """Item-wise means over runs that differ in their seed only.

    Intervals and tests are then over prompts and pairs, of the method as these seeds show it.
    """
    if len(runs) == 1:
        return runs[0]
    values = {name: np.mean([run.values[name] for run in runs], axis=0) for name in runs[0].values}
    return Items(values, [])


def _estimate(name: str, values: np.ndarray) -> Estimate:
    share = name in ("win_rate", "accuracy")
    if share and set(np.unique(values)) <= {0.0, 1.0}:
        return rate(int(values.sum()), len(values))  # with an interval also where all items agree
    found = mean(values)
    if share:
        return Estimate(found.value, max(0.0, found.low), min(1.0, found.high), found.n)
    return found
