"""Calibration of preferences (2312.07401): pairs that a model is 80 % sure of should be right in 80 % of cases.

Confidence is σ(|log-odds|), at least one half; a pair counts as right where the sign agrees with the label.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from truing.statistics import Estimate, rate

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Pairs of similar confidence.

    Attributes:
        low, high: confidences.
        confidence: their mean.
        accuracy: how many of them are right, with its interval.
    """

    low: float
    high: float
    confidence: float
    accuracy: Estimate


@dataclass(frozen=True)
class Calibration:
    """Reliability of a reward model's confidences.

    Attributes:
        ece: expected calibration error, Σ_m |B_m|/n · |accuracy_m − confidence_m|, from 0 to 1.
        confidence: mean over all pairs.
        bins: those that hold pairs.
        temperature: what log-odds had to be divided by for the smallest mean cross-entropy; 1 where nothing is amiss,
            infinite where the order is no better than chance.
    """

    ece: float
    confidence: float
    bins: tuple[Bin, ...]
    temperature: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def calibration(log_odds: Float[np.ndarray, " pairs"], *, bins: int = BINS) -> Calibration:
    """Calibration from the log-odds of the answers that people chose.

    Args:
        log_odds: positive where the model agrees; pairs at exactly 0 count as half right.
        bins: of equal width between one half and 1.
    """
    gaps = np.asarray(log_odds, dtype=np.float64)
    if len(gaps) == 0:
        return Calibration(float("nan"), float("nan"), (), float("nan"))
    confidence = expit(np.abs(gaps))
    right = np.where(gaps > 0, 1.0, np.where(gaps < 0, 0.0, 0.5))
    edges = np.linspace(0.5, 1.0, bins + 1)
    place = np.clip(np.digitize(confidence, edges[1:-1], right=False), 0, bins - 1)
    found, error = [], 0.0
    for number in range(bins):
        own = place == number
        count = int(own.sum())
        if count == 0:
            continue
        accuracy, mean = rate(float(right[own].sum()), count), float(confidence[own].mean())
        error += count / len(gaps) * abs(accuracy.value - mean)
        found.append(Bin(float(edges[number]), float(edges[number + 1]), mean, accuracy))
    return Calibration(error, float(confidence.mean()), tuple(found), temperature(gaps))


def temperature(log_odds: Float[np.ndarray, " pairs"]) -> float:
    """The T for which the mean of −log σ(log-odds / T) is smallest."""
    from scipy.optimize import minimize_scalar

    gaps = np.asarray(log_odds, dtype=np.float64)
    # The loss is convex in 1/T: its slope at 0 says whether the order is any good.
    if gaps.mean() <= 0:
        return float("inf")
    if (gaps > 0).all():
        return 0.0
    spread = float(np.abs(gaps).mean())
    best = minimize_scalar(
        lambda inverse: float(np.logaddexp(0, -gaps * inverse).mean()),
        bounds=(0.0, 1000.0 / spread),
        method="bounded",
    )
    return float(1.0 / best.x)
