"""Terms: a score, a pairing, a margin, a link and a weight put together.

A term turns scores into weighted losses. An objective is a weighted sum of terms; the division by the
size of the batch happens there, once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from truing.objectives.algebra.columns import RecordValue
from truing.objectives.algebra.formula import Argument, scaled, summed, times
from truing.objectives.algebra.links import Link
from truing.objectives.algebra.margins import Margin, NoShift, Shift, State
from truing.objectives.algebra.pairings import Aligned, Pairing
from truing.objectives.algebra.scales import PairScale
from truing.objectives.algebra.scores import PAIRS, UNPAIRED, WITH_LIKED, Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import LogProb, SequenceScore
from truing.objectives.algebra.term import Stateless, TermLoss
from truing.objectives.algebra.weights import PairWeight

Role = Literal["chosen", "rejected"]


@dataclass(frozen=True)
class Pairwise(Stateless):
    """link(gap − margin) for each pair, optionally mixed with the loss of the exchanged pair.

    loss = straight · link(g − m) + swapped · link(g' − m'), where g is the gap, m the margin, and g' and m' are
    those of the pair with its roles exchanged. ``straight, swapped`` are (1, 0) normally, (1−eps, eps) for label
    smoothing and (1−eps, −eps)/(1−2 eps) for robust DPO. ``scale`` multiplies what the link is applied to, pair by
    pair.
    """

    score: SequenceScore
    link: Link
    margin: Margin | None = None
    weight: PairWeight | None = None
    pairing: Pairing = field(default_factory=Aligned)
    straight: float = 1.0
    swapped: float = 0.0
    scale: PairScale | None = None

    @property
    def requires(self) -> frozenset[str]:
        parts = (self.score, self.margin, self.weight, self.scale)
        return frozenset().union(*(part.requires for part in parts if part is not None))

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS & self.score.data

    @property
    def coupling(self) -> str:
        return "batch" if self.pairing.coupled or (self.scale and self.scale.coupling == "batch") else "none"

    @property
    def coupled(self) -> bool:
        return self.pairing.coupled

    def init(self) -> dict[str, Tensor]:
        return self.scale.init() if self.scale is not None else {}

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]:
        if self.scale is None:
            return dict(state)
        gaps = None if scores is None else self.pairing(self.score, scores, batch)[0].detach()
        return self.scale.update(state, gaps, batch, training)

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        values, owners = self._side(scores, batch, state)
        values = self.straight * values
        if self.swapped:
            values = values + self.swapped * self._side(scores, batch.exchanged(), state)[0]
        if self.weight is not None:
            values = values * self.weight(scores, batch)
        weights = torch.ones_like(values).detach() if owners is None else batch.weights[owners].to(values.dtype)
        return TermLoss(values, weights, owners)

    def _side(self, scores: Scores, batch: Batch, state: State) -> tuple[Tensor, Tensor | None]:
        gap, owners = self.pairing(self.score, scores, batch)
        z = gap - (self.margin(scores, batch) if self.margin is not None else 0.0)
        return self.link(z if self.scale is None else self.scale(batch, state).to(z) * z), owners

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return self.pairing.count(batch)

    def text(self) -> str:
        straight, exchanged = (self._side_text(swapped) for swapped in (False, True))
        body = scaled(self.straight, straight)
        if self.swapped:
            body = summed([body, scaled(self.swapped, exchanged)])
        return times(self.weight.text(), body) if self.weight is not None else body

    def _side_text(self, swapped: bool) -> str:
        up, down = self.pairing.sides(self.score, *("lw" if swapped else "wl"))
        margins = self.margin.parts(swapped) if self.margin is not None else ()
        scale = self.scale.text(swapped) if self.scale is not None else ""
        return self.link.text(Argument(up, down, margins, scale))


@dataclass(frozen=True)
class SortedUnpaired(Pairwise):
    """A pairwise term over two sorted samples that need not belong together (AOT, unpaired)."""

    @property
    def data(self) -> frozenset[DataKind]:
        return (PAIRS | UNPAIRED) & self.score.data


@dataclass(frozen=True)
class Absolute(Stateless):
    """link(± (score − shift)) for the completions of one role, without comparing them with the other.

    Args:
        role: which completions.
        score: their score.
        link: what a signed score costs.
        sign: +1 pushes the score up, −1 down.
        scale: constant factor (KTO's lambda).
        shift: statistic that is subtracted from the score.
        kinds: the data layouts that make sense for it.
        weight: weight of the pair that a completion belongs to; for pairs only.
        importance: weight of the record that a completion belongs to.
        baseline: what is subtracted from the score, record by record.
    """

    role: Role
    score: SequenceScore
    link: Link
    sign: int
    scale: float = 1.0
    shift: Shift = field(default_factory=NoShift)
    kinds: frozenset[DataKind] = PAIRS
    weight: PairWeight | None = None
    importance: RecordValue | None = None
    baseline: RecordValue | None = None

    @property
    def requires(self) -> frozenset[str]:
        extra = frozenset({"mismatched"}) if self.shift.coupling == "auxiliary" else frozenset[str]()
        parts = (self.weight, self.importance, self.baseline)
        return self.score.requires.union(extra, *(part.requires for part in parts if part is not None))

    @property
    def data(self) -> frozenset[DataKind]:
        return self.kinds & self.score.data

    @property
    def coupling(self) -> str:
        return self.shift.coupling

    def init(self) -> dict[str, Tensor]:
        return self.shift.init()

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]:
        values = None if scores is None else self.score(scores, batch).detach()
        other = None if auxiliary is None else LogProb("sum", reference=True)(auxiliary, batch).detach()
        return self.shift.update(state, values, batch, other, training)

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        index = batch.chosen if self.role == "chosen" else batch.rejected
        shift = self.shift(state)
        if isinstance(shift, Tensor):
            shift = shift.to(scores.token_logps.device, scores.token_logps.dtype)
        owners = batch.example[index]
        score = self.score(scores, batch)[index] - shift
        if self.baseline is not None:
            score = score - self.baseline(batch)[owners].to(score)
        values = self.scale * self.link(self.sign * score)
        if self.weight is not None:
            values = values * self.weight(scores, batch)
        if self.importance is not None:
            values = values * self.importance(batch)[owners].to(values)
        return TermLoss(values, batch.weights[owners].to(values.dtype), owners)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights.sum()

    def text(self) -> str:
        own = self.score.text("w" if self.role == "chosen" else "l")
        shift = self.shift.text() if self.baseline is None else self.baseline.text()
        body = scaled(self.scale, self.link.text(Argument(own, shift) if self.sign > 0 else Argument(shift, own)))
        for weight in (self.weight, self.importance):
            body = times(weight.text(), body) if weight is not None else body
        return body


@dataclass(frozen=True)
class Likelihood(Stateless):
    """Negative log-likelihood of the chosen (or desirable, or demonstrated) completions.

    Args:
        reduction: ``"sum"`` sums the tokens of a completion, ``"mean"`` averages them, then both average
            over records; ``"tokens"`` averages over all tokens of the batch, as supervised fine-tuning does.
            Most published disagreements about this term's coefficient come from this choice.
    """

    reduction: Literal["sum", "mean", "tokens"] = "mean"

    @property
    def requires(self) -> frozenset[str]:
        return frozenset()

    @property
    def data(self) -> frozenset[DataKind]:
        return WITH_LIKED

    @property
    def compares(self) -> bool:
        return False

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        score = LogProb("mean" if self.reduction == "mean" else "sum")
        values = -score(scores, batch)[batch.chosen]
        owners = batch.example[batch.chosen]
        return TermLoss(values, batch.weights[owners].to(values.dtype), owners)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        weights = batch.weights[batch.example[batch.chosen]]
        return (weights * lengths[batch.chosen]).sum() if self.reduction == "tokens" else weights.sum()

    def text(self) -> str:
        return {
            "sum": "−log π(y_w)",
            "mean": "−log π(y_w)/|y_w|",
            "tokens": "−Σ log π(y_w)/Σ |y_w|",
        }[self.reduction]
