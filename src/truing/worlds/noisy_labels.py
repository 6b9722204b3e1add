"""Pairs of a linear truth, a quarter of whose labels are exchanged (after 2401.06080)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

RATE = 0.25


@dataclass(frozen=True)
class NoisyPairs:
    """Labelled pairs as differences of features, answer called better minus the other.

    Attributes:
        gaps: shape ``[N, D]``.
        wrong: which labels are exchanged.
        truth: coefficients of the true reward.
    """

    gaps: Float[np.ndarray, "pairs features"]
    wrong: Bool[np.ndarray, " pairs"]
    truth: Float[np.ndarray, " features"]

    def accuracy(self, reward: Float[np.ndarray, " features"], seed: int, pairs: int = 10_000) -> float:
        """Share of clean new pairs that a linear reward puts in order."""
        new = np.random.default_rng((seed, 1)).standard_normal((pairs, len(self.truth)))
        return float(((new @ reward > 0) == (new @ self.truth > 0)).mean())


def draw(seed: int, *, pairs: int = 1000, features: int = 10) -> NoisyPairs:
    """Pairs whose labels follow the truth, but for those that are exchanged at random."""
    generator = np.random.default_rng(seed)
    truth = generator.standard_normal(features)
    inputs = generator.standard_normal((pairs, features))
    wrong = generator.random(pairs) < RATE
    sign = np.where(inputs @ truth > 0, 1.0, -1.0) * np.where(wrong, -1.0, 1.0)
    return NoisyPairs(inputs * sign[:, None], wrong, truth)


def fit_linear(
    gaps: Float[np.ndarray, "pairs features"],
    preference: Float[np.ndarray, " pairs"] | None = None,
    margin: Float[np.ndarray, " pairs"] | None = None,
    ridge: float = 1.0,
) -> Float[np.ndarray, " features"]:
    """Coefficients that minimise Σ −p log σ(D − m) − (1 − p) log σ(m − D) and a ridge, by L-BFGS."""
    from scipy.optimize import minimize
    from scipy.special import expit

    p = np.ones(len(gaps)) if preference is None else preference
    m = np.zeros(len(gaps)) if margin is None else margin

    def loss(reward: np.ndarray) -> tuple[float, np.ndarray]:
        lead = gaps @ reward - m
        value = (p * np.logaddexp(0, -lead) + (1 - p) * np.logaddexp(0, lead)).sum() + ridge / 2 * reward @ reward
        return float(value), gaps.T @ (expit(lead) - p) + ridge * reward

    found: np.ndarray = minimize(loss, np.zeros(gaps.shape[1]), jac=True, method="L-BFGS-B").x
    return found
