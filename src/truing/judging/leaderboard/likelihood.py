"""Likelihoods of outcomes of games: Bradley-Terry with ties as half wins, and Davidson's with ties of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import expit, logsumexp


class Likelihood(Protocol):
    """Of outcomes, given log-odds d; concave in d and its own parameters."""

    @property
    def extra(self) -> int:
        """Parameters besides the log-odds."""

    def __call__(
        self, gap: np.ndarray, extra: np.ndarray, outcome: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log-likelihood, gradient and negated second derivatives by (d, extra), game by game.

        Args:
            gap: log-odds d, ``[games]``.
            extra: ``[extra]``.
            outcome: share of a win, ``[games]``.

        Returns:
            Arrays of shapes ``[games]``, ``[games, 1 + extra]`` and ``[games, 1 + extra, 1 + extra]``.
        """


@dataclass(frozen=True)
class HalfWins:
    """s log σ(d) + (1 − s) log σ(−d): a tie is half a win and half a loss."""

    extra: int = 0

    def __call__(
        self, gap: np.ndarray, extra: np.ndarray, outcome: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        chance = expit(gap)
        value = -outcome * np.logaddexp(0, -gap) - (1 - outcome) * np.logaddexp(0, gap)
        return value, (outcome - chance)[:, None], (chance * (1 - chance))[:, None, None]


@dataclass(frozen=True)
class Davidson:
    """P(win) ∝ e^(d/2), P(loss) ∝ e^(−d/2), P(tie) ∝ ν = e^η (Davidson 1970); outcomes are 0, one half or 1."""

    extra: int = 1

    def __call__(
        self, gap: np.ndarray, extra: np.ndarray, outcome: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        logits = np.stack([gap / 2, -gap / 2, np.full_like(gap, extra[0])], axis=1)
        chances = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
        win, loss, tie = chances.T
        seen = np.stack([outcome == 1, outcome == 0, outcome == 0.5], axis=1).astype(float)
        value = (seen * (logits - logsumexp(logits, axis=1, keepdims=True))).sum(1)
        lean = win - loss
        first = np.stack([(seen[:, 0] - seen[:, 1] - lean) / 2, seen[:, 2] - tie], axis=1)
        second = np.empty((len(gap), 2, 2))
        second[:, 0, 0] = (win + loss - lean**2) / 4
        second[:, 0, 1] = second[:, 1, 0] = -lean * tie / 2
        second[:, 1, 1] = tie * (1 - tie)
        return value, first, second


@dataclass(frozen=True)
class Fit:
    """A maximum of the likelihood.

    Attributes:
        beta: coefficients of the design, ``[K]``.
        extra: the likelihood's own.
        covariance: of both, clustered by prompt (sandwich), ``[K + extra, K + extra]``.
    """

    beta: np.ndarray
    extra: np.ndarray
    covariance: np.ndarray


def fitted(
    design: np.ndarray,
    outcome: np.ndarray,
    likelihood: Likelihood,
    penalty: np.ndarray,
    weight: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    start: np.ndarray | None = None,
    steps: int = 100,
) -> Fit:
    """Maximise Σ_i weight_i log p_i − ½ β'Pβ by Newton's method.

    Args:
        design: ``[games, K]``; d = design β.
        outcome: ``[games]``.
        likelihood: of the outcomes.
        penalty: P, ``[K, K]``, positive semi-definite.
        weight: of games; 1 if left out.
        groups: number of the prompt of each game, for the covariance; each game its own if left out.
        start: ``[K + extra]``.
        steps: at most.
    """
    size, width = design.shape
    weight = np.ones(size) if weight is None else weight
    full = np.zeros((width + likelihood.extra,) * 2)
    full[:width, :width] = penalty
    beta = np.zeros(len(full)) if start is None else start.copy()

    def target(values: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        value, first, second = likelihood(design @ values[:width], values[width:], outcome)
        slope = np.hstack([first[:, :1] * design, first[:, 1:]]) * weight[:, None]
        curve = full.copy()
        curve[:width, :width] += design.T @ (design * (weight * second[:, 0, 0])[:, None])
        cross = design.T @ (second[:, 0, 1:] * weight[:, None])
        curve[:width, width:] += cross
        curve[width:, :width] += cross.T
        curve[width:, width:] += np.einsum("i,ijk->jk", weight, second[:, 1:, 1:])
        return float(weight @ value - values @ full @ values / 2), slope, curve

    value, slope, curve = target(beta)
    for _ in range(steps):
        step = np.linalg.solve(curve, slope.sum(0) - full @ beta)
        length = 1.0
        while length > 1e-10:
            tried = target(beta + length * step)
            if tried[0] >= value - 1e-12 * abs(value):
                break
            length /= 2
        beta = beta + length * step
        value, slope, curve = tried
        if np.max(np.abs(length * step), initial=0.0) < 1e-10:
            break
    inverse = np.linalg.inv(curve)
    clusters = np.arange(size) if groups is None else groups
    summed = np.zeros((int(clusters.max(initial=-1)) + 1, len(full)))
    np.add.at(summed, clusters, slope)
    count = len(np.unique(clusters))
    meat = summed.T @ summed * (count / (count - 1) if count > 1 else np.nan)
    return Fit(beta[:width], beta[width:], inverse @ meat @ inverse)
