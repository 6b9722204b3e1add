"""Pairs that a model judges in two ways: exact verdicts, one number each, that training can move.

A pair has two answers that share the policy's probability, and two questions to the model, one for each order, with two
possible replies each. An evidence e is the log-odds that the first answer is better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from truing.objectives.algebra import Batch, Objective, Scores
from truing.objectives.algebra.internal import VERDICTS


@dataclass
class Verdicts:
    """Log-odds that the first of two answers is the better one.

    Attributes:
        implicit: by the log-ratio of the answers, shape ``[pairs]``.
        spoken: by what the model says, shape ``[pairs]``.
        first: liking for the reply that stands for the answer shown first, nats.
        weight: of each pair.
    """

    implicit: Float[Tensor, " pairs"]
    spoken: Float[Tensor, " pairs"]
    first: float = 0.0
    weight: Float[Tensor, " pairs"] | None = None

    def scored(self) -> tuple[Scores, Batch]:
        """Six completions a pair: both answers, and both replies to each question. The reference is even."""
        pairs = len(self.implicit)
        gaps = torch.stack([self.implicit, self.spoken + self.first, self.spoken - self.first])
        logps = torch.stack([torch.nn.functional.logsigmoid(gaps), torch.nn.functional.logsigmoid(-gaps)])
        flat = logps.permute(2, 1, 0).reshape(-1)
        scores = Scores.from_sequences(flat, torch.full_like(flat.detach(), 0.5).log())
        start = 6 * torch.arange(pairs)
        example = torch.arange(pairs).repeat_interleave(6)

        def roles(place: int) -> Batch:
            own = torch.stack([start + place, start + place + 1], 1).flatten()
            return Batch(example, pairs, start + place, start + place + 1, weight=self.weight, own=own)

        return scores, replace(roles(0), parts={name: roles(2 * n + 2) for n, name in enumerate(VERDICTS)})

    def loss(self, objective: Objective) -> Tensor:
        """Of all pairs."""
        return objective(*self.scored()).loss

    def pull(self, objective: Objective) -> Float[Tensor, " pairs"]:
        """How hard the log-ratio of each pair is pulled towards its first answer, per pair."""
        leaf = self.implicit.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(replace(self, implicit=leaf).loss(objective), leaf)
        weights = torch.ones_like(leaf) if self.weight is None else self.weight
        return -gradient * weights.sum() / weights

    def trained(self, objective: Objective, *, steps: int, rate: float) -> Verdicts:
        """After gradient descent on both, ``rate`` per pair and step."""
        leaves = [value.detach().clone().requires_grad_() for value in (self.implicit, self.spoken)]
        for _ in range(steps):
            now = replace(self, implicit=leaves[0], spoken=leaves[1])
            gradients = torch.autograd.grad(now.loss(objective) * len(self.implicit), leaves, allow_unused=True)
            leaves = [
                (leaf if gradient is None else leaf - rate * gradient).detach().requires_grad_()
                for leaf, gradient in zip(leaves, gradients, strict=True)
            ]
        return replace(self, implicit=leaves[0].detach(), spoken=leaves[1].detach())

    def agreement(self) -> float:
        """Share of pairs on which both are on the same side."""
        return float((self.implicit * self.spoken > 0).double().mean())

    @classmethod
    def independent(cls, seed: int, pairs: int, *, accuracy: float) -> Verdicts:
        """Two judges whose normal errors are independent; the first answer is the better one of every pair."""
        noise = torch.randn(2, pairs, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        level = float(torch.special.ndtri(torch.tensor(accuracy, dtype=torch.float64)))
        return cls(level + noise[0], level + noise[1])
