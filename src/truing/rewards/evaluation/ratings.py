"""Reward models that predict numbers: ratings in several respects, or values that are often zero, beside the data's."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from truing.evaluation.findings import Finding, Verdict
from truing.json_values import plain
from truing.objectives.algebra import Objective
from truing.objectives.algebra.ratings import SquaredErrors
from truing.rewards.evaluation.findings import finding
from truing.rewards.models.model import RewardModel
from truing.statistics import Estimate, mean, rank_correlation
from truing.training.examples import ExampleData
from truing.training.roles import roles


@dataclass(frozen=True)
class Respect:
    """How one respect is predicted.

    Attributes:
        order: rank correlation of predictions and ratings.
        error: mean absolute error, points of 100, or units of the value.
        constant: the same error of a prediction of the median for every answer.
    """

    order: Estimate
    error: Estimate
    constant: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(asdict(self))
        return found

    def finding(self, name: str) -> Finding:
        """A sentence."""
        own = self.order
        if not math.isfinite(own.value):
            return finding(
                f"order of {name}", "same", f"{name}: too few ratings that differ to say anything.", own
            )
        verdict: Verdict = "better" if own.low > 0 else "worse" if own.high < 0 else "same"
        sentence = (
            f"{name}: rank correlation of prediction and rating {own.value:.2f} (95 % interval {own.low:.2f} to "
            f"{own.high:.2f}, {own.n} answers); off by {self.error.value:.3g} on average, where always saying the "
            f"median is off by {self.constant:.3g}."
        )
        return finding(f"order of {name}", verdict, sentence, own)


def respects_of(predicted: Float[np.ndarray, " answers"], known: Float[np.ndarray, " answers"]) -> Respect:
    """Predictions beside ratings; missing ratings are left out."""
    there = np.isfinite(known)
    said, right = predicted[there], known[there]
    constant = float(np.abs(right - np.median(right)).mean()) if len(right) else math.nan
    return Respect(rank_correlation(said, right), mean(np.abs(said - right)), constant)


def rated_answers(model: RewardModel, objective: Objective, examples: ExampleData) -> dict[str, Respect]:
    """What a model says of rated answers, by respect.

    Args:
        model: of the kind ``ratings`` or ``zero-inflated``.
        objective: that it was trained with.
        examples: ranked records.
    """
    everything = range(len(examples))
    batch = roles("ranked", examples.take(everything))
    said = np.concatenate([table.numpy() for table in model.columns(examples.trees(everything))])
    terms = [term for _, term in objective.terms if isinstance(term, SquaredErrors)]
    if not terms:
        assert batch.reward is not None
        return {"value": respects_of(said[:, 0], batch.reward.double().numpy())}
    known = 100 * terms[0].shares(batch).double().numpy()
    return {name: respects_of(said[:, place], known[:, place]) for place, name in enumerate(model.form.names)}
