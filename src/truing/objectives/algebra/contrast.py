"""A contrastive term on the states that a reward head reads (2401.06080): a pair should know itself among others.

SimCSE makes two views of an input by running a model twice under dropout. Models are trained here without dropout, so
that both views are of one forward pass, under two masks on the state that the head reads.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from truing.errors import ObjectiveError
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import PAIRS, Batch, DataKind, Scores
from truing.objectives.algebra.sources import STATES
from truing.objectives.algebra.term import Stateless, TermLoss


@dataclass(frozen=True)
class GapContrast(Stateless):
    """−log softmax over the batch's pairs j of cos(d_i, d′_j)/τ, at the pair j = i itself.

    d and d′ are two views of h_w − h_l, the difference of the states of chosen and rejected. Each state is under a mask
    of its own in each view. Every training batch draws new masks, from the seed and the number of batches before it;
    held-out batches always meet the first ones. Pairs of weight 0 count nowhere. With one pair in a batch it is 0.

    Args:
        temperature: τ.
        dropout: share of a state's components that a mask puts to 0; the others grow by 1/(1 − dropout).
        seed: of the masks.
    """

    temperature: float
    dropout: float
    seed: int = 0

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({STATES})

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS

    @property
    def coupling(self) -> str:
        return "batch"

    @property
    def coupled(self) -> bool:
        return True

    @property
    def compares(self) -> bool:
        return False

    def init(self) -> dict[str, Tensor]:
        """How many training batches there were."""
        return {"batches": torch.zeros(1, dtype=torch.long)}

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]:
        return {"batches": state["batches"] + 1} if training else self.init()

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        if scores.states is None:
            raise ObjectiveError(
                "states of answers are contrasted, and the scores have none",
                fix="train a reward model: `truing reward`",
            )
        owners = batch.example[batch.chosen]
        weights = batch.weights[owners].to(scores.states.device)
        one, other = (self._gaps(view, batch) for view in self._views(scores.states, int(state["batches"])))
        likeness = one @ other.T / self.temperature
        likeness = likeness.masked_fill(weights == 0, -torch.inf)
        # A pair of weight 0 stays among its own candidates, so that what is multiplied by 0 is finite.
        own = torch.eye(len(one), dtype=torch.bool, device=one.device)
        likeness = torch.where(own, (one * other).sum(1) / self.temperature, likeness)
        values = torch.logsumexp(likeness, dim=1) - likeness.diagonal()
        return TermLoss(values, weights.to(values), owners)

    def _views(self, states: Tensor, batches: int) -> list[Float[Tensor, "sequences width"]]:
        """The states under two masks."""
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + batches)
        kept = torch.rand(2, *states.shape, generator=draw) >= self.dropout
        wide = states.float() if states.dtype in (torch.float16, torch.bfloat16) else states
        return [wide * mask.to(wide) / (1 - self.dropout) for mask in kept]

    def _gaps(self, states: Float[Tensor, "sequences width"], batch: Batch) -> Float[Tensor, "pairs width"]:
        """Differences of chosen and rejected, of length 1."""
        return functional.normalize(states[batch.chosen] - states[batch.rejected], dim=1)

    def denominator(self, batch: Batch, lengths: Float[Tensor, " sequences"]) -> Tensor:
        return batch.weights[batch.example[batch.chosen]].sum()

    def text(self) -> str:
        return f"InfoNCE(h_w − h_l, τ = {self.temperature:g})"
