"""Labelled pairs, and a policy whose answers have moved away from them (after 2401.06080, section 4).

An answer is a vector of features, its reward linear. Labelled answers differ in all features alike, the policy's new
ones in the second half most of all. How much the true reward cares about these is a setting.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.objectives.algebra import Batch, Objective, Scores

HALF = 4
LABELLED, MOVED = (1.0, 1.0), (0.3, 1.0)
"""Standard deviations of the features of the first and of the second half."""


@dataclass(frozen=True)
class Drift:
    """Labelled pairs and unlabelled samples.

    Attributes:
        answers: features of chosen and rejected in turn, shape ``[2 N, D]``.
        samples: features of the policy's new answers to each of M prompts, shape ``[M, k, D]``.
        truth: coefficients of the true reward.
    """

    answers: Float[Tensor, "answers features"]
    samples: Float[Tensor, "prompts count features"]
    truth: Float[Tensor, " features"]

    def accuracy(
        self, reward: Float[Tensor, " features"], deviations: tuple[float, float], seed: int, pairs: int = 10_000
    ) -> float:
        """Share of new pairs, with features of these deviations, that a reward puts in order."""
        gaps = _normal(torch.Generator().manual_seed(seed), (pairs, 2 * HALF), deviations)
        return float(((gaps @ reward > 0) == (gaps @ self.truth > 0)).double().mean())

    def apart(self, reward: Float[Tensor, " features"]) -> float:
        """Mean |R_i − R_j| over the samples of a prompt."""
        values = self.samples @ reward
        first, second = torch.triu_indices(values.shape[1], values.shape[1], offset=1)
        return float((values[:, first] - values[:, second]).abs().mean())


def draw(
    seed: int,
    *,
    pairs: int = 60,
    prompts: int = 20,
    count: int = 4,
    moved_matters: float = 0.0,
) -> Drift:
    """Pairs with labels from Bradley–Terry, and ``count`` samples to each prompt.

    Args:
        seed: of everything.
        pairs: labelled ones.
        prompts: with samples.
        count: samples to a prompt.
        moved_matters: scale of the true reward's coefficients in the second half; those of the first have scale 1.
    """
    generator = torch.Generator().manual_seed(seed)
    scale = torch.tensor([1.0] * HALF + [moved_matters] * HALF, dtype=torch.float64)
    truth = scale * torch.randn(2 * HALF, generator=generator, dtype=torch.float64)
    answers = _normal(generator, (pairs, 2, 2 * HALF), LABELLED) / 2**0.5
    gaps = answers[:, 0] - answers[:, 1]
    first = torch.rand(pairs, generator=generator, dtype=torch.float64) < torch.sigmoid(gaps @ truth)
    ordered = torch.where(first[:, None, None], answers, answers.flip(1))
    return Drift(ordered.flatten(0, 1), _normal(generator, (prompts, count, 2 * HALF), MOVED), truth)


def _normal(generator: torch.Generator, shape: tuple[int, ...], deviations: tuple[float, float]) -> Tensor:
    spread = torch.tensor([own for own in deviations for _ in range(HALF)], dtype=torch.float64)
    return spread * torch.randn(*shape, generator=generator, dtype=torch.float64)


def descend(
    world: Drift, objective: Objective, *, steps: int = 20, rate: float = 3.0
) -> Float[Tensor, " features"]:
    """A reward by gradient descent from 0 on all pairs at once, each gradient taken where the objective says."""
    reward = torch.zeros(2 * HALF, dtype=torch.float64, requires_grad=True)
    batch = Batch.pairs(len(world.answers) // 2)
    for _ in range(steps):
        if objective.ahead is None:
            objective(_scores(world.answers, reward), batch).loss.backward()
        else:
            slope_of_samples(world, objective, reward)
            with objective.ahead.at([reward]):
                objective(_scores(world.answers, reward), batch).loss.backward()
        assert reward.grad is not None
        with torch.no_grad():
            reward -= rate * reward.grad
        reward.grad = None
    return reward.detach()


def slope_of_samples(world: Drift, objective: Objective, reward: Tensor) -> None:
    """Leave in ``reward.grad`` the gradient of what the step ahead lowers."""
    assert objective.ahead is not None
    prompts, count, _ = world.samples.shape
    spread = Objective("samples", ((1.0, objective.ahead.term),), None)
    spread(_scores(world.samples.flatten(0, 1), reward), Batch.samples([count] * prompts)).loss.backward()


def _scores(features: Tensor, reward: Tensor) -> Scores:
    nothing = torch.zeros(len(features), dtype=features.dtype)
    return Scores(nothing, torch.arange(len(features)), len(features), values=(features @ reward)[:, None])
