"""Sources of preferences that share one direction and contradict each other in others (after 2312.07401).

An answer is a vector of features, its reward linear. All sources like the first feature as much. Source k likes feature
k, by a strength of its own, as much as the other sources dislike it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.objectives.algebra import Batch, Objective, Scores
from truing.rewards.evaluation.calibration import Calibration, calibration

STRENGTHS = (3.0, 1.0, 0.3)
FEATURES, SHARED = 8, 1.0


@dataclass(frozen=True)
class Sources:
    """Labelled pairs as differences of features, better minus worse.

    Attributes:
        gaps: shape ``[N, D]``.
        source: of each pair, shape ``[N]``.
    """

    gaps: Float[Tensor, "pairs features"]
    source: Int[Tensor, " pairs"]

    def scores(self, reward: Float[Tensor, " features"]) -> Scores:
        """What an objective is called with: half the difference is the better answer, minus half the worse."""
        states = torch.stack([self.gaps / 2, -self.gaps / 2], 1).flatten(0, 1)
        nothing = torch.zeros(len(states), dtype=states.dtype)
        return Scores(
            nothing, torch.arange(len(states)), len(states), values=(states @ reward)[:, None], states=states
        )

    def batch(self, column: str) -> Batch:
        """Roles, with the sources under a name."""
        return Batch.pairs(len(self.gaps), columns={column: self.source.double()})

    def only(self, source: int) -> Sources:
        """The pairs of one source."""
        own = self.source == source
        return Sources(self.gaps[own], self.source[own])


def draw(seed: int, *, pairs: int = 150) -> Sources:
    """``pairs`` pairs of every source, with labels drawn from Bradley–Terry."""
    generator = torch.Generator().manual_seed(seed)
    gaps, sources = [], []
    for number in range(len(STRENGTHS)):
        reward = torch.zeros(FEATURES, dtype=torch.float64)
        reward[0] = SHARED
        for other, strength in enumerate(STRENGTHS):
            reward[1 + other] = strength if other == number else -strength
        features = 2**0.5 * torch.randn(pairs, FEATURES, generator=generator, dtype=torch.float64)
        first = torch.rand(pairs, generator=generator, dtype=torch.float64) < torch.sigmoid(features @ reward)
        gaps.append(features * (2.0 * first[:, None] - 1))
        sources.append(torch.full((pairs,), number))
    return Sources(torch.cat(gaps), torch.cat(sources))


@dataclass(frozen=True)
class Path:
    """Rewards on the way of gradient descent, and the mean loss over sources at each."""

    rewards: list[Tensor]
    losses: list[float]

    def at(self, loss: float) -> Tensor:
        """The first reward whose loss is no larger."""
        return next(reward for reward, own in zip(self.rewards, self.losses, strict=True) if own <= loss)


def descend(data: Sources, objective: Objective, column: str, *, steps: int = 120, rate: float = 0.4) -> Path:
    """Gradient descent from 0 on all pairs at once."""
    reward, state = torch.zeros(FEATURES, dtype=torch.float64), objective.init()
    batch, path = data.batch(column), Path([], [])
    for _ in range(steps):
        leaf = reward.clone().requires_grad_()
        scores = data.scores(leaf)
        state = objective.update(state, scores.detach(), batch)
        objective(scores, batch, state).loss.backward()
        path.rewards.append(reward)
        path.losses.append(float(torch.nn.functional.softplus(-data.gaps @ reward).mean()))
        assert leaf.grad is not None
        reward = reward - rate * leaf.grad
    return path


def shared_calibration(reward: Float[Tensor, " features"], seed: int, pairs: int = 20_000) -> Calibration:
    """Calibration on new pairs that differ in the shared feature alone."""
    gaps = 2**0.5 * np.random.default_rng((seed, 7)).standard_normal(pairs)
    first = np.random.default_rng((seed, 8)).random(pairs) < 1 / (1 + np.exp(-SHARED * gaps))
    return calibration(float(reward[0]) * gaps * np.where(first, 1.0, -1.0))
