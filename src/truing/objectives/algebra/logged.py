"""Terms that put drawn answers beside what the records hold: answers of people, and those that people disliked."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from truing.objectives.algebra.credits import rewards_of
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.sampled import ONLINE, Sampled
from truing.objectives.algebra.scores import Batch, Scores
from truing.objectives.algebra.term import TermLoss
from truing.objectives.algebra.terms import Pairwise

REAL = "real"
"""The part with each record's own answer, where people liked it."""
LOGGED = "logged-complaint"
"""What :class:`AgainstLogged` requires: pairs of a drawn answer and the record's own, which people disliked."""


@dataclass(frozen=True)
class KeptLikelihood(Sampled):
    """Likelihood of the answer that users keep of those drawn for a prompt, by Luce's rule (2407.09499, eq. 1).

    The choice is not drawn: every answer counts with the probability that it is kept, e^R_k / Σ_j e^R_j, which is the
    expectation over choices.

    Args:
        temperature: of the choice; rewards are divided by it.
    """

    temperature: float = 1.0

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        index = batch.chosen
        owners = batch.example[index]
        worth = rewards_of(batch)[index].to(scores.token_logps) / self.temperature
        top = torch.full((batch.examples,), -torch.inf, dtype=worth.dtype, device=worth.device)
        top = top.scatter_reduce(0, owners, worth, "amax")
        share = torch.exp(worth - top[owners])
        total = torch.zeros_like(top).index_add(0, owners, share)
        values = -scores.total(scores.token_logps)[index]
        weights = batch.weights[owners].to(values) * share / total[owners]
        return TermLoss(values, weights, owners)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights.sum()

    def text(self) -> str:
        reward = "reward_k" if self.temperature == 1 else f"reward_k/{self.temperature:g}"
        return f"−Σ_k softmax_k({reward})·log π(y_k)"


@dataclass(frozen=True)
class AgainstLogged(Pairwise):
    """A pairwise term whose chosen answer is drawn and whose rejected one stands in the data."""

    @property
    def requires(self) -> frozenset[str]:
        return super().requires | {ONLINE, LOGGED}
