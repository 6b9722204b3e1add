"""Terms over the K scored answers to one prompt."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from truing.objectives.algebra.formula import Argument, grouped, scaled
from truing.objectives.algebra.links import Link
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import PAIRS, Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import SequenceScore
from truing.objectives.algebra.term import Stateless, TermLoss

RANKED_OR_PAIRS: frozenset[DataKind] = PAIRS | {"ranked"}


@dataclass(frozen=True)
class Ranking(Stateless):
    """Σ over pairs i, k of one prompt with reward_i < reward_k of link(s_k − s_i) (RRHF, 2304.05302, eq. 2).

    Equal rewards are not compared. Without rewards the chosen answer stands above the rejected one.
    """

    score: SequenceScore
    link: Link

    @property
    def requires(self) -> frozenset[str]:
        return self.score.requires

    @property
    def data(self) -> frozenset[DataKind]:
        return RANKED_OR_PAIRS & self.score.data

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        values = self.score(scores, batch)
        better, worse = _ordered_pairs(batch)
        losses = self.link(values[better] - values[worse])
        owners = batch.example[better]
        return TermLoss(losses, batch.weights[owners].to(losses.dtype), owners)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights.sum()

    def text(self) -> str:
        body = self.link.text(Argument(self.score.text("k"), self.score.text("i")))
        return f"Σ_(i below k) {grouped(body)}"


def _ordered_pairs(batch: Batch) -> tuple[Tensor, Tensor]:
    """All (better, worse) sequence pairs of the same record; without rewards, chosen over rejected."""
    if batch.reward is None:
        return batch.chosen, batch.rejected
    same = batch.example[:, None] == batch.example[None, :]
    ordered = same & (batch.reward[:, None] > batch.reward[None, :])
    better, worse = torch.nonzero(ordered, as_tuple=True)
    return better, worse


@dataclass(frozen=True)
class SoftmaxRanking(Stateless):
    """Cross-entropy of softmax(beta s) over one prompt's answers against softmax(reward / alpha).

    Without rewards all of the target's mass is on the chosen answer (InfoNCA, 2402.05369, eq. 9).
    """

    score: SequenceScore
    beta: float
    alpha: float

    @property
    def requires(self) -> frozenset[str]:
        return self.score.requires

    @property
    def data(self) -> frozenset[DataKind]:
        return RANKED_OR_PAIRS & self.score.data

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        own = batch.sequences
        log_q = _segment_log_softmax(self.beta * self.score(scores, batch)[own], batch)
        if batch.reward is None:
            target = torch.isin(own, batch.chosen).to(log_q)
        else:
            target = _segment_log_softmax(batch.reward.detach().to(log_q)[own] / self.alpha, batch).exp()
        losses = batch.per_example(-target * log_q, own)
        owners = torch.arange(batch.examples, device=log_q.device)
        return TermLoss(losses, batch.weights.to(losses.dtype), owners)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights.sum()

    def text(self) -> str:
        reward = "reward_k" if self.alpha == 1 else f"reward_k/{self.alpha:g}"
        return f"−Σ_k softmax_k({reward})·log softmax_k({scaled(self.beta, self.score.text('k'))})"


def _segment_log_softmax(values: Tensor, batch: Batch) -> Tensor:
    """Log-softmax over the own sequences of each record."""
    example = batch.example[batch.sequences]
    top = values.new_full((batch.examples,), -torch.inf).scatter_reduce(0, example, values.detach(), reduce="amax")
    shifted = values - top[example]
    total = values.new_zeros(batch.examples).index_add(0, example, shifted.exp())
    return shifted - total.log()[example]
