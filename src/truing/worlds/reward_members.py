"""Linear reward models that agree where they were trained and differ elsewhere (after 2312.09244).

An answer is a vector of features; its true reward is linear. Training pairs vary in half of the features only. A member
sees the features through a projection of its pretraining run; fine-tuning starts from a point of its own. What a member
thinks of features that never varied comes from its projection, so members of one pretraining run err alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Members:
    """Reward models and the truth.

    Attributes:
        truth: coefficients of the true reward, shape ``[D]``.
        models: coefficients of the model of each pretraining and fine-tuning seed, shape ``[A, B, D]``.
        seen: how many of the features varied in training.
    """

    truth: Float[Tensor, " features"]
    models: Float[Tensor, "pretrained finetuned features"]
    seen: int

    def accuracy(self, answers: Float[Tensor, "pairs features"]) -> Float[Tensor, "pretrained finetuned"]:
        """Share of differences of answers that each model signs as the truth does, where only seen features vary."""
        inside = answers.clone()
        inside[:, self.seen :] = 0
        agree = (inside @ self.models.flatten(0, 1).T > 0) == (inside @ self.truth > 0)[:, None]
        return agree.double().mean(0).reshape(self.models.shape[:2])


def train_members(
    seed: int,
    *,
    features: int = 20,
    seen: int = 10,
    pretrained: int = 5,
    finetuned: int = 5,
    pairs: int = 1000,
    start: float = 2.0,
    steps: int = 200,
) -> Members:
    """Bradley–Terry models by gradient descent, all on the same pairs.

    Args:
        seed: of everything.
        features, seen: of an answer; how many vary in the training pairs.
        pretrained, finetuned: numbers of projections, and of starting points for each.
        pairs: for training.
        start: length of a starting point.
        steps: of gradient descent.
    """
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=draw, dtype=torch.float64)

    truth = 2 * normal(features) / features**0.5
    gaps = torch.zeros(pairs, features, dtype=torch.float64)
    gaps[:, :seen] = 2**0.5 * normal(pairs, seen)
    labels = (torch.rand(pairs, generator=draw, dtype=torch.float64) < torch.sigmoid(gaps @ truth)).double()
    projection = normal(pretrained, features, features) / features**0.5
    inputs = gaps @ projection.mT
    weights = start * normal(pretrained, features, finetuned) / features**0.5
    # The inverse of the loss's largest curvature.
    rate = 4 * pairs / torch.linalg.matrix_norm(inputs, 2).square()[:, None, None]
    for _ in range(steps):
        error = torch.sigmoid(inputs @ weights) - labels[None, :, None]
        weights = weights - rate * (inputs.mT @ error) / pairs
    return Members(truth, (projection.mT @ weights).mT, seen)


def best_of(
    scores: Float[Tensor, "prompts candidates"], value: Float[Tensor, "prompts candidates"], n: int
) -> Float[Tensor, " prompts"]:
    """The value of the answer that scores highest among the first n candidates to each prompt."""
    return value.gather(1, scores[:, :n].argmax(1, keepdim=True))[:, 0]
