"""Ideal points (PAL, 2406.08469): what a user likes is near a point that a few prototypes span.

z_u = Σ_k w_uk p_k with w_u = softmax(a_u/T), in training optionally with Gumbel noise on a_u. In variant A the
prototypes p_k are points; in variant B they are functions of the prompt. Answers are mapped into the same space by f;
a reward is the negative distance, or a scaled cosine.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

Variant = Literal["a", "b"]
Score = Literal["distance", "angle"]
Loss = Literal["logistic", "hinge"]

_EPS = 1e-12
_FIRST_SCALE, _LARGEST_SCALE = math.log(1 / 0.07), 100.0
_NOISE = 0.1


class IdealPoints(nn.Module):
    """R_u(x, y) of embedded answers.

    Args:
        width: of the embeddings, D.
        users: how many there are.
        prototypes: K.
        dim: of the space of preferences, d.
        variant: ``"a"``: prototypes are points; ``"b"``: linear functions of the prompt's embedding.
        score: ``"distance"``: −‖f(e) − z_u‖; ``"angle"``: their cosine times a learned scale of at most 100.
        hidden: width of a hidden layer of f; 0 for a linear map.
        dropout: after the hidden layer.
        loss: of a lead g of the chosen answer: ``"logistic"``: −log σ(g); ``"hinge"``: max(0, 1 − g).
        temperature: T.
        gumbel: whether training draws weights, softmax((a_u + Gumbel noise)/T), anew for every pair.
    """

    def __init__(
        self,
        width: int,
        users: int,
        *,
        prototypes: int,
        dim: int,
        variant: Variant,
        score: Score,
        hidden: int,
        dropout: float,
        loss: Loss = "logistic",
        temperature: float = 1.0,
        gumbel: bool = False,
    ) -> None:
        super().__init__()
        self.hinge = loss == "hinge"
        self.temperature = temperature
        self.gumbel = gumbel
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.items: nn.Module = nn.Linear(width, dim)
        if hidden:
            layers = (nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, dim))
            self.items = nn.Sequential(*layers)
        self.prototypes: nn.Module = Points(prototypes, dim) if variant == "a" else Maps(width, prototypes, dim)
        self.score: nn.Module = Distance() if score == "distance" else Angle()
        self.users = nn.Parameter(_NOISE * torch.randn(users, prototypes))

    def standardise(self, embeddings: Float[Tensor, "answers width"]) -> None:
        """Take the scale of embeddings from these."""
        spread = embeddings.std(0, correction=0)
        self.get_buffer("centre").copy_(embeddings.mean(0))
        self.get_buffer("scale").copy_(torch.where(spread > 0, spread, 1.0))

    def weights(self) -> Float[Tensor, "users prototypes"]:
        """What each prototype counts for each user."""
        return self.mixture(self.users)

    def mixture(self, logits: Float[Tensor, "*users prototypes"]) -> Float[Tensor, "*users prototypes"]:
        """Weights from logits, without noise."""
        return torch.softmax(logits / self.temperature, -1)

    def loss(self, leads: Float[Tensor, " pairs"]) -> Float[Tensor, " pairs"]:
        """Of pairs whose chosen answer leads by so much."""
        return functional.relu(1 - leads) if self.hinge else functional.softplus(-leads)

    def forward(
        self,
        weights: Float[Tensor, "answers prototypes"],
        prompts: Float[Tensor, "answers width"],
        answers: Float[Tensor, "answers width"],
    ) -> Float[Tensor, " answers"]:
        """Rewards under given weights of the prototypes."""
        found: Tensor = self.score(self.items(self._scaled(answers)), self.ideal(weights, prompts))
        return found

    def ideal(
        self, weights: Float[Tensor, "answers prototypes"], prompts: Float[Tensor, "answers width"]
    ) -> Float[Tensor, "answers dim"]:
        """z_u(x)."""
        found: Tensor = torch.einsum("nk,nkd->nd", weights, self.prototypes(self._scaled(prompts)))
        return found

    def log_odds(
        self,
        weights: Float[Tensor, "pairs prototypes"],
        prompts: Float[Tensor, "pairs width"],
        chosen: Float[Tensor, "pairs width"],
        rejected: Float[Tensor, "pairs width"],
    ) -> Float[Tensor, " pairs"]:
        """That chosen is preferred to rejected, nats."""
        better: Tensor = self(weights, prompts, chosen)
        worse: Tensor = self(weights, prompts, rejected)
        return better - worse

    def of_users(self, users: Int[Tensor, " answers"]) -> Float[Tensor, "answers prototypes"]:
        """Weights of the users with these numbers; in training with the noise that is asked for."""
        if self.gumbel and self.training:
            return functional.gumbel_softmax(self.users[users], tau=self.temperature)
        return self.weights()[users]

    def _scaled(self, embeddings: Tensor) -> Tensor:
        centre, scale = self.get_buffer("centre"), self.get_buffer("scale")
        return (embeddings - centre) / scale


class Points(nn.Module):
    """K points, the same for every prompt."""

    def __init__(self, count: int, dim: int) -> None:
        super().__init__()
        self.points = nn.Parameter(torch.randn(count, dim) / dim**0.5)

    def forward(self, prompts: Float[Tensor, "answers width"]) -> Float[Tensor, "answers prototypes dim"]:
        return self.points.expand(len(prompts), -1, -1)


class Maps(nn.Module):
    """K linear functions of the prompt."""

    def __init__(self, width: int, count: int, dim: int) -> None:
        super().__init__()
        self.maps = nn.ModuleList(nn.Linear(width, dim) for _ in range(count))

    def forward(self, prompts: Float[Tensor, "answers width"]) -> Float[Tensor, "answers prototypes dim"]:
        return torch.stack([own(prompts) for own in self.maps], 1)


class Distance(nn.Module):
    """−‖item − ideal‖, with a gradient where the two meet."""

    def forward(self, items: Float[Tensor, "answers dim"], ideal: Float[Tensor, "answers dim"]) -> Tensor:
        return -((items - ideal).square().sum(1) + _EPS).sqrt()


class Angle(nn.Module):
    """Cosine times exp(s), s learned."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(_FIRST_SCALE))

    def forward(self, items: Float[Tensor, "answers dim"], ideal: Float[Tensor, "answers dim"]) -> Tensor:
        scale = self.log_scale.exp().clamp(max=_LARGEST_SCALE)
        return scale * functional.cosine_similarity(items, ideal, dim=1, eps=1e-8)
