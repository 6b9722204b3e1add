"""Pairs whose label is a probability, and whose better answer should lead by a margin of its own (2401.06080)."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import PAIRS, Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import SequenceScore
from truing.objectives.algebra.term import Stateless, TermLoss

PREFERENCE = "preference"


@dataclass(frozen=True)
class Believed(Stateless):
    """−p log σ(D − m) − (1 − p) log σ(m − D), D the difference of the scores.

    p is the record's ``preference``, the probability that chosen is preferred, and m its ``margin``; without these
    columns p is 1 and m is 0.

    Args:
        score: of an answer.
        beta: what D − m is multiplied by.
    """

    score: SequenceScore
    beta: float = 1.0

    @property
    def requires(self) -> frozenset[str]:
        return self.score.requires

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS & self.score.data

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        values = self.score(scores, batch)
        owners = batch.example[batch.chosen]
        lead = values[batch.chosen] - values[batch.rejected]
        if batch.margin is not None:
            lead = lead - batch.margin.detach()[owners].to(lead)
        given = batch.columns.get(PREFERENCE)
        p = lead.new_ones(len(lead)) if given is None else given[owners].to(lead)
        lead = self.beta * lead
        losses = p * functional.softplus(-lead) + (1 - p) * functional.softplus(lead)
        return TermLoss(losses, batch.weights[owners].to(losses), owners)

    def denominator(self, batch: Batch, lengths: Float[Tensor, " sequences"]) -> Tensor:
        return batch.weights[batch.example[batch.chosen]].sum()

    def text(self) -> str:
        gap = f"{self.score.text('w')} − {self.score.text('l')} − margin"
        inside = gap if self.beta == 1 else f"{self.beta:g}·({gap})"
        return f"−p_b·log σ({inside}) − (1 − p_b)·log σ(−({inside}))"
