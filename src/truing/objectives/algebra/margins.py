"""Slot 4 of the algebra: what is subtracted from the gap, or from a single score, before the link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.scores import Batch, Scores

State = Mapping[str, Tensor]


class Margin(Protocol):
    """A margin per pair."""

    def __call__(self, scores: Scores, batch: Batch, swapped: bool) -> Float[Tensor, " pairs"] | float:
        """The margin; ``swapped`` asks for its value with the roles of chosen and rejected exchanged."""
        ...

    def text(self) -> str: ...


@dataclass(frozen=True)
class ConstantMargin:
    """The same target gap for every pair (SimPO's gamma, in units of the score)."""

    value: float

    def __call__(self, scores: Scores, batch: Batch, swapped: bool) -> float:
        return self.value

    def text(self) -> str:
        return f"{self.value:g}"


@dataclass(frozen=True)
class LengthMargin:
    """A margin that grows with how much longer the chosen answer is.

    Args:
        per_token: margin per token of |y_w| − |y_l|, in units of the score. R-DPO (2403.19159, eq. 9) is
            the negative value −alpha/beta: what extra length explains need not be learned as quality.
    """

    per_token: float

    def __call__(self, scores: Scores, batch: Batch, swapped: bool) -> Float[Tensor, " pairs"]:
        lengths = scores.lengths
        difference = lengths[batch.chosen] - lengths[batch.rejected]
        return self.per_token * (-difference if swapped else difference)

    def text(self) -> str:
        return f"({self.per_token:g})·(|y_w| − |y_l|)"


@dataclass(frozen=True)
class RecordMargin:
    """The record's own ``margin`` column, times ``scale`` (offset of ODPO, 2402.10571)."""

    scale: float = 1.0

    def __call__(self, scores: Scores, batch: Batch, swapped: bool) -> Float[Tensor, " pairs"]:
        if batch.margin is None:
            raise ObjectiveError("this objective uses the `margin` column, but the data has none")
        value = self.scale * batch.margin[batch.example[batch.chosen]]
        return -value if swapped else value

    def text(self) -> str:
        return f"{self.scale:g}·margin"


class Shift(Protocol):
    """A detached batch or running statistic that is subtracted from absolute scores.

    ``coupling`` says what has to be scored, without gradient, before the loss of any part of the batch
    can be formed: nothing, the auxiliary (mismatched) completions, or the whole batch.
    """

    @property
    def coupling(self) -> str: ...

    def init(self) -> dict[str, Tensor]: ...

    def update(
        self,
        state: State,
        values: Float[Tensor, " sequences"] | None,
        batch: Batch,
        auxiliary: Float[Tensor, " examples"] | None,
        training: bool,
    ) -> dict[str, Tensor]: ...

    def __call__(self, state: State) -> Tensor | float: ...

    def text(self) -> str: ...


@dataclass(frozen=True)
class NoShift:
    """Absolute scores as they are."""

    coupling = "none"

    def init(self) -> dict[str, Tensor]:
        return {}

    def update(
        self, state: State, values: Tensor | None, batch: Batch, auxiliary: Tensor | None, training: bool
    ) -> dict[str, Tensor]:
        return dict(state)

    def __call__(self, state: State) -> float:
        return 0.0

    def text(self) -> str:
        return "0"


@dataclass(frozen=True)
class MismatchedKL:
    """KTO's z0 (2402.01306, section 4.1): max(0, mean log-ratio of completions under *another* prompt).

    The completions are mismatched on purpose: their mean log-ratio estimates the KL divergence of the
    policy from the reference over the data. Never receives gradient; one value for the whole global batch.
    """

    coupling = "auxiliary"

    def init(self) -> dict[str, Tensor]:
        return {"kl": torch.zeros(())}

    def update(
        self, state: State, values: Tensor | None, batch: Batch, auxiliary: Tensor | None, training: bool
    ) -> dict[str, Tensor]:
        if auxiliary is None or len(auxiliary) == 0:
            raise ObjectiveError(
                "the KL baseline of this objective needs mismatched completions, and the batch has none",
                fix="use a data set with at least two different prompts",
            )
        weights = batch.weights.to(auxiliary.dtype)
        mean = (auxiliary.detach() * weights).sum() / weights.sum().clamp(min=1e-12)
        return {"kl": mean.clamp(min=0)}

    def __call__(self, state: State) -> Tensor:
        return state["kl"]

    def text(self) -> str:
        return "z₀"


@dataclass(frozen=True)
class RunningMean:
    """BCO's reward shift (2404.04656, section 4.2): the midpoint of mean desirable and undesirable reward.

    Args:
        momentum: weight of the past in an exponential average; ``None`` averages everything seen so far.
    """

    momentum: float | None = None
    coupling = "batch"

    def init(self) -> dict[str, Tensor]:
        return {"sums": torch.zeros(2, dtype=torch.float64), "counts": torch.zeros(2, dtype=torch.float64)}

    def update(
        self, state: State, values: Tensor | None, batch: Batch, auxiliary: Tensor | None, training: bool
    ) -> dict[str, Tensor]:
        if values is None or not training:
            return dict(state)
        sums, counts = state["sums"].clone(), state["counts"].clone()
        for side, index in enumerate((batch.chosen, batch.rejected)):
            weight = batch.weights[batch.example[index]].double().cpu()
            batch_sum = (values.detach()[index].double().cpu() * weight).sum()
            batch_count = weight.sum()
            if batch_count == 0:
                continue
            if self.momentum is None or counts[side] == 0:
                sums[side] += batch_sum
                counts[side] += batch_count
            else:
                past = sums[side] / counts[side]
                counts[side] = 1.0
                sums[side] = self.momentum * past + (1 - self.momentum) * batch_sum / batch_count
        return {"sums": sums, "counts": counts}

    def __call__(self, state: State) -> Tensor:
        # A midpoint needs both classes: until each has been seen, nothing is subtracted.
        if not bool((state["counts"] > 0).all()):
            return torch.zeros(())
        return (state["sums"] / state["counts"]).mean().float()

    def text(self) -> str:
        return "δ"
