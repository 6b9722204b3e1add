"""Slot 6 of the algebra, second half: a coefficient of the gap that differs from pair to pair, or batch to batch.

It takes the place of a constant beta inside the link, and never carries gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from truing.objectives.algebra.margins import record_margin
from truing.objectives.algebra.scores import Batch

State = Mapping[str, Tensor]

SMALLEST_BETA = 1e-3
# exp(80) is still finite in float32.
_EXPONENT_LIMIT = 80.0
# Share of the batch that the policy's own margin is averaged over.
_SHARE = 0.8


class PairScale(Protocol):
    """What the argument of the link is multiplied by."""

    @property
    def requires(self) -> frozenset[str]: ...

    @property
    def coupling(self) -> str:
        """``"batch"`` where the gaps of the whole batch are needed first, otherwise ``"none"``."""
        ...

    def init(self) -> dict[str, Tensor]: ...

    def update(
        self, state: State, gaps: Float[Tensor, " pairs"] | None, batch: Batch, training: bool
    ) -> dict[str, Tensor]: ...

    def __call__(self, batch: Batch, state: State) -> Float[Tensor, " pairs"] | Float[Tensor, ""]: ...

    def text(self, swapped: bool) -> str:
        """Its formula; ``swapped`` asks for that of the exchanged pair."""
        ...


@dataclass(frozen=True)
class MarginBeta:
    """MM-DPO (2502.10391): beta (1 + w (1 − e^(−k margin))), at least 0.001, with the record's own margin.

    Args:
        beta: value at margin 0.
        growth: w; with a margin that grows without bound the value tends to beta (1 + w).
        rate: k, per unit of the margin column.
    """

    beta: float
    growth: float
    rate: float
    requires = frozenset({"column:margin"})
    coupling = "none"

    def init(self) -> dict[str, Tensor]:
        return {}

    def update(self, state: State, gaps: Tensor | None, batch: Batch, training: bool) -> dict[str, Tensor]:
        return dict(state)

    def __call__(self, batch: Batch, state: State) -> Float[Tensor, " pairs"]:
        exponent = (-self.rate * record_margin(batch)).clamp(max=_EXPONENT_LIMIT)
        return (self.beta * (1 - self.growth * torch.expm1(exponent))).clamp(min=SMALLEST_BETA)

    def text(self, swapped: bool) -> str:
        exponent = f"{'' if swapped else '−'}{self.rate:g}·margin"
        return f"max({SMALLEST_BETA:g}, {self.beta:g} + {self.beta * self.growth:g}·(1 − e^({exponent})))"


@dataclass(frozen=True)
class BatchBeta:
    """One beta for a batch, from the gaps of its pairs: that of the code released with MM-DPO (2502.10391).

    80 % of the pairs are drawn without replacement with weights e^(−z²/2), z the standardised gap; beta is
    multiplied by 1 + w (mean gap of those drawn − mean gap), and is at least 0.001. What is drawn follows from how
    many batches were seen, so that all processes draw the same, and so does a run that was resumed.

    Args:
        beta: value where both means agree.
        growth: w, per nat.
    """

    beta: float
    growth: float
    requires = frozenset[str]()
    coupling = "batch"

    def init(self) -> dict[str, Tensor]:
        return {"beta": torch.tensor(self.beta, dtype=torch.float64), "batches": torch.tensor(0)}

    def update(self, state: State, gaps: Tensor | None, batch: Batch, training: bool) -> dict[str, Tensor]:
        if gaps is None or not training:
            return dict(state)
        counted = gaps[batch.weights[batch.example[batch.chosen]] > 0].double().cpu()
        if len(counted) == 0:
            return dict(state)
        typical = counted[self._drawn(counted, int(state["batches"]))].mean()
        beta = self.beta * (1 + self.growth * (typical - counted.mean()))
        return {"beta": beta.clamp(min=SMALLEST_BETA), "batches": state["batches"] + 1}

    @staticmethod
    def _drawn(gaps: Tensor, turn: int) -> Tensor:
        # One pair has no spread, and equal gaps have none: all weights are then 1.
        spread = gaps.std(correction=min(1, len(gaps) - 1)).clamp(min=1e-7)
        log_weight = -0.5 * ((gaps - gaps.mean()) / spread).square()
        # The largest of log-weights plus Gumbel noise are a draw without replacement.
        uniform = torch.rand(len(gaps), generator=torch.Generator().manual_seed(turn), dtype=torch.float64)
        count = max(1, int(_SHARE * len(gaps)))
        return (log_weight - torch.log(-torch.log(uniform))).topk(count).indices

    def __call__(self, batch: Batch, state: State) -> Float[Tensor, ""]:
        return state["beta"]

    def text(self, swapped: bool) -> str:
        return "β_batch"
