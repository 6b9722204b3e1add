"""Games between models whose strengths are known, and a judge that likes long answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from truing.judging.leaderboard.games import Games


@dataclass(frozen=True)
class Arena:
    """Models with strengths, and a habit of length each.

    Attributes:
        names: of the models.
        theta: nats, adding up to 0.
        wordy: mean of the length feature, of which games see the difference.
        gamma: nats that a unit of difference in length is worth to the judge.
    """

    names: tuple[str, ...]
    theta: np.ndarray
    wordy: np.ndarray
    gamma: float

    def games(self, generator: np.random.Generator, count: int, ties: float = 0.0) -> Games:
        """Games of random pairs on random prompts.

        Args:
            generator: of everything.
            count: games.
            ties: Davidson's ν; no ties where it is 0.
        """
        first = generator.integers(0, len(self.names), count)
        second = (first + generator.integers(1, len(self.names), count)) % len(self.names)
        pairs = np.stack([first, second], axis=1)
        length = self.wordy[pairs[:, 0]] - self.wordy[pairs[:, 1]] + generator.normal(size=count)
        gap = self.theta[pairs[:, 0]] - self.theta[pairs[:, 1]] + self.gamma * length
        weights = np.stack([np.exp(gap / 2), np.exp(-gap / 2), np.full(count, ties)], axis=1)
        drawn = (
            generator.random(count)[:, None] > np.cumsum(weights / weights.sum(1, keepdims=True), axis=1)
        ).sum(1)
        return Games.of(
            [(self.names[one], self.names[other]) for one, other in pairs],
            np.array([1.0, 0.0, 0.5])[drawn],
            [str(number // 4) for number in range(count)],
            length[:, None],
            ("length",),
        )

    def expected(self) -> Games:
        """Every pair of models once in each order, with the outcome that is expected and no difference in length."""
        size = len(self.names)
        pairs = [(one, other) for one in range(size) for other in range(size) if one != other]
        return Games.of(
            [(self.names[one], self.names[other]) for one, other in pairs],
            [float(expit(self.theta[one] - self.theta[other])) for one, other in pairs],
        )


def arena(seed: int, models: int = 5, gamma: float = 0.8) -> Arena:
    """Strengths by which the weaker models write more."""
    generator = np.random.default_rng(seed)
    theta = np.sort(generator.normal(size=models))[::-1]
    return Arena(tuple(f"m{place}" for place in range(models)), theta - theta.mean(), -0.8 * theta, gamma)
