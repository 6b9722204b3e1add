"""The likelihood of critiques that stand behind answers (MM-RLHF, 2502.10391, section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import PAIRS, Batch, DataKind, Scores
from truing.objectives.algebra.term import Stateless, TermLoss

CRITIQUE = "critique"
"""What an objective requires that reads critiques, and the column with their lengths in tokens, one an answer."""


@dataclass(frozen=True)
class CritiqueLikelihood(Stateless):
    """−log p(c | x, y) of both answers' critiques, mean over the critiques' tokens of the batch.

    An answer's sequence ends with its critique; what stands before it is not learned.
    """

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({CRITIQUE})

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS

    @property
    def compares(self) -> bool:
        return False

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        own = batch.sequences
        owners = batch.example[own]
        values = self._nll(scores, batch)[own]
        return TermLoss(values, batch.weights[owners].to(values.dtype), owners)

    def denominator(self, batch: Batch, lengths: Float[Tensor, " sequences"]) -> Tensor:
        own = batch.sequences
        return (batch.weights[batch.example[own]] * critique_tokens(batch)[own]).sum()

    def measured(self, scores: Scores, batch: Batch) -> dict[str, Tensor]:
        """Nats a token of critique."""
        own = batch.sequences
        counted = (batch.weights > 0).double()[batch.example[own]]
        return {
            "critique_nll": (self._nll(scores, batch)[own].double() * counted).sum(),
            "count/critique_nll": (critique_tokens(batch)[own].double() * counted).sum(),
        }

    def _nll(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        begins = scores.lengths - critique_tokens(batch).to(scores.lengths)
        inside = scores.position >= begins[scores.sequence]
        return -scores.total(torch.where(inside, scores.token_logps, torch.zeros_like(scores.token_logps)))

    def text(self) -> str:
        return "−log p(c)/|c|"


def critique_tokens(batch: Batch) -> Float[Tensor, " sequences"]:
    """Tokens of each sequence's critique, at its end.

    Raises:
        ObjectiveError: if the records have no critiques.
    """
    found = batch.per_sequence.get(CRITIQUE)
    if found is None:
        raise ObjectiveError(
            "this objective learns critiques, and the records have none",
            allowed="pairs with `critique_chosen` and `critique_rejected`",
        )
    return found.detach()
