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
    """A margin per pair, in units of the score."""

    @property
    def requires(self) -> frozenset[str]: ...

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " pairs"] | float:
        """The margin that the chosen answers of the batch must have."""
        ...

    def parts(self, swapped: bool) -> tuple[tuple[float, str], ...]:
        """Coefficient and symbol of each summand; the symbol of a constant is ``""``.

        ``swapped`` asks for those of the exchanged pair.
        """
        ...


@dataclass(frozen=True)
class ConstantMargin:
    """The same target gap for every pair (SimPO's gamma, in units of the score)."""

    value: float
    requires = frozenset[str]()

    def __call__(self, scores: Scores, batch: Batch) -> float:
        return self.value

    def parts(self, swapped: bool) -> tuple[tuple[float, str], ...]:
        return ((self.value, ""),) if self.value else ()


@dataclass(frozen=True)
class LengthMargin:
    """A margin that grows with how much longer the chosen answer is.

    Args:
        per_token: margin per token of |y_w| − |y_l|, in units of the score. R-DPO (2403.19159, eq. 9) is
            the negative value −alpha/beta: what extra length explains need not be learned as quality.
    """

    per_token: float
    requires = frozenset[str]()

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " pairs"]:
        lengths = scores.lengths
        return self.per_token * (lengths[batch.chosen] - lengths[batch.rejected])

    def parts(self, swapped: bool) -> tuple[tuple[float, str], ...]:
        return ((self.per_token, "|y_l| − |y_w|" if swapped else "|y_w| − |y_l|"),)


@dataclass(frozen=True)
class RecordMargin:
    """The record's own ``margin`` column (the offset of ODPO, 2402.10571).

    Args:
        scale: score per unit of the column; a margin in units of reward needs 1/beta.
    """

    scale: float = 1.0
    requires = frozenset({"column:margin"})

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " pairs"]:
        return self.scale * record_margin(batch)

    def parts(self, swapped: bool) -> tuple[tuple[float, str], ...]:
        return ((-self.scale if swapped else self.scale, "margin"),)


def record_margin(batch: Batch) -> Float[Tensor, " pairs"]:
    """The ``margin`` column of each pair's record, detached.

    Raises:
        ObjectiveError: if the records have none.
    """
    if batch.margin is None:
        raise ObjectiveError(
            "this objective uses the `margin` column, but the data has none",
            fix="add a `margin` column (reward of chosen minus that of rejected), or drop what uses it",
        )
    return batch.margin.detach()[batch.example[batch.chosen]]


@dataclass(frozen=True)
class Margins:
    """The sum of several margins, e.g. SimPO's gamma and a price on length."""

    summands: tuple[Margin, ...]

    @property
    def requires(self) -> frozenset[str]:
        return frozenset().union(*(margin.requires for margin in self.summands))

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " pairs"] | float:
        return sum((margin(scores, batch) for margin in self.summands), start=0.0)

    def parts(self, swapped: bool) -> tuple[tuple[float, str], ...]:
        return tuple(part for margin in self.summands for part in margin.parts(swapped))


def with_margin(margin: Margin | None, extra: Margin) -> Margin | None:
    """The sum of two margins, or ``None`` if the first already has one of the second's kind."""
    if margin is None:
        return extra
    present = margin.summands if isinstance(margin, Margins) else (margin,)
    if any(type(one) is type(extra) for one in present):
        return None
    return Margins((*present, extra))


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

    def text(self) -> str | None:
        """Its symbol, or ``None`` where nothing is subtracted."""
        ...


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

    def text(self) -> str | None:
        return None


@dataclass(frozen=True)
class ConstantShift(NoShift):
    """The same number for every score."""

    value: float

    def __call__(self, state: State) -> float:
        return self.value

    def text(self) -> str | None:
        return f"{self.value:g}".replace("-", "−")


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
        return (state["sums"] / state["counts"]).mean()

    def text(self) -> str:
        return "δ"
