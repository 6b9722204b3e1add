"""How well values that are mostly zero with a heavy tail are predicted: order, size, likelihood."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from truing.errors import DataError
from truing.json_values import plain
from truing.statistics import Estimate, mean, rank_correlation

_RESAMPLES = 1000


@dataclass(frozen=True)
class ValueReport:
    """Predictions beside raw values.

    Attributes:
        gini: normalised Gini coefficient: 1 for the values' own order, about 0 for one at random; bootstrapped.
        spearman: rank correlation.
        error: mean absolute error, in units of the value.
        loss: mean negative log-likelihood, nats; unknown where none is given.
    """

    gini: Estimate
    spearman: Estimate
    error: Estimate
    loss: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(asdict(self))
        return found

    def sentences(self) -> list[str]:
        """For people."""
        return [
            f"It puts values in order with a normalised Gini coefficient of {_told(self.gini)}, 1 being perfect and 0 "
            f"chance, and a rank correlation of {_told(self.spearman)}.",
            f"It is off by {_told(self.error)} on average.",
        ]


def _told(estimate: Estimate) -> str:
    return f"{estimate.value:.3g} ({estimate.low:.3g} to {estimate.high:.3g}, {estimate.n} records)"


def value_report(
    values: Float[np.ndarray, " records"],
    predicted: Float[np.ndarray, " records"],
    losses: Float[np.ndarray, " records"] | None = None,
    *,
    seed: int = 0,
) -> ValueReport:
    """Compare predictions with values.

    Args:
        values: on their raw scale, at least 0.
        predicted: expected values.
        losses: negative log-likelihoods, nats.
        seed: of the bootstrap of the Gini coefficient.

    Raises:
        DataError: if a value is negative or not finite, or lengths differ.
    """
    checked_values(values)
    if len(values) != len(predicted):
        raise DataError(f"there are {len(values)} values and {len(predicted)} predictions")
    draw = np.random.default_rng(seed)
    order = [draw.integers(len(values), size=len(values)) for _ in range(_RESAMPLES)]
    drawn = np.array([normalised_gini(values[own], predicted[own]) for own in order])
    low, high = np.nanpercentile(drawn, [2.5, 97.5]) if np.isfinite(drawn).any() else (np.nan, np.nan)
    return ValueReport(
        Estimate(normalised_gini(values, predicted), float(low), float(high), len(values)),
        rank_correlation(predicted, values),
        mean(np.abs(predicted - values)),
        mean([] if losses is None else losses),
    )


def checked_values(values: Float[np.ndarray, " records"]) -> Float[np.ndarray, " records"]:
    """Values that can be learned from.

    Raises:
        DataError: naming the first that is negative or not finite.
    """
    wrong = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if len(wrong):
        raise DataError(
            f"the value {values[wrong[0]]:g} cannot be learned",
            where=f"record {wrong[0]}",
            allowed="finite numbers of at least 0",
            fix="leave the record out, or predict another quantity: losses and refunds are no values",
        )
    return values


def normalised_gini(values: Float[np.ndarray, " records"], predicted: Float[np.ndarray, " records"]) -> float:
    """Gini coefficient of the values in the order of the predictions, over that in their own order.

    Equal predictions share their places, so that a constant prediction has 0. ``nan`` where all values are alike.
    """
    best = _gini(values, values)
    return _gini(values, predicted) / best if best > 0 else float("nan")


def _gini(values: Float[np.ndarray, " records"], predicted: Float[np.ndarray, " records"]) -> float:
    """Area between the Lorenz curve, largest predictions first, and the diagonal."""
    _, group = np.unique(-predicted, return_inverse=True)
    counts = np.bincount(group).astype(float)
    totals = np.bincount(group, weights=values)
    if totals.sum() <= 0:
        return 0.0
    share = np.concatenate([[0.0], totals.cumsum() / totals.sum()])
    widths = counts / counts.sum()
    return float((widths * (share[1:] + share[:-1])).sum() / 2 - 0.5)
