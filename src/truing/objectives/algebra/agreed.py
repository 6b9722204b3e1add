"""Terms over rankings on which a judge and the policy's own likelihood agree (CycleAlign, 2310.16271)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from truing.objectives.algebra.margins import State
from truing.objectives.algebra.rankings import Ranking
from truing.objectives.algebra.sampled import ONLINE
from truing.objectives.algebra.scores import Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import SequenceScore
from truing.objectives.algebra.term import Stateless, TermLoss
from truing.objectives.algebra.terms import Likelihood

AGREED = "agreed-ranking"
"""What these terms require: rankings of drawn answers on which a judge and the policy agree."""
RANKED: frozenset[DataKind] = frozenset({"ranked"})


@dataclass(frozen=True)
class AgreedRanking(Ranking):
    """The comparison of all pairs of an agreed ranking."""

    @property
    def requires(self) -> frozenset[str]:
        return super().requires | {ONLINE, AGREED}

    @property
    def data(self) -> frozenset[DataKind]:
        return RANKED


@dataclass(frozen=True)
class AgreedLikelihood(Likelihood):
    """The likelihood of the best answer of an agreed ranking."""

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({ONLINE, AGREED})

    @property
    def data(self) -> frozenset[DataKind]:
        return RANKED


@dataclass(frozen=True)
class AgreedOrder(Stateless):
    """−Σ_k log softmax_k over the answers that are not above k: the likelihood of a whole order (Plackett–Luce, as
    in PRO).

    Args:
        score: of an answer, nats.
    """

    score: SequenceScore

    @property
    def requires(self) -> frozenset[str]:
        return self.score.requires | {ONLINE, AGREED}

    @property
    def data(self) -> frozenset[DataKind]:
        return RANKED

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        assert batch.reward is not None
        values, reward = self.score(scores, batch), batch.reward
        own = batch.sequences
        same = batch.example[own][:, None] == batch.example[own][None, :]
        below = same & (reward[own][:, None] >= reward[own][None, :])
        table = values[own][None, :].expand(len(own), -1).masked_fill(~below, -torch.inf)
        losses = batch.per_example(table.logsumexp(1) - values[own], own)
        owners = torch.arange(batch.examples, device=losses.device)
        return TermLoss(losses, batch.weights.to(losses.dtype), owners)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights.sum()

    def text(self) -> str:
        return f"−Σ_k log softmax_(k and below)({self.score.text('k')})"
