"""Terms: a score, a pairing, a margin, a link and a weight put together.

A term turns scores into weighted losses. An objective is a weighted sum of terms; the division by the
size of the batch happens there, once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.objectives.algebra.links import Link
from truing.objectives.algebra.margins import Margin, NoShift, Shift, State
from truing.objectives.algebra.pairings import Aligned, Pairing
from truing.objectives.algebra.scores import Batch, Scores
from truing.objectives.algebra.sequence_scores import LogProb, SequenceScore
from truing.objectives.algebra.weights import PairWeight

Role = Literal["chosen", "rejected"]
DataKind = Literal["pairs", "unpaired", "ranked", "demonstrations"]

PAIRS: frozenset[DataKind] = frozenset({"pairs"})
UNPAIRED: frozenset[DataKind] = frozenset({"unpaired"})
RANKED_OR_PAIRS: frozenset[DataKind] = frozenset({"ranked", "pairs"})
ANY_DATA: frozenset[DataKind] = frozenset({"pairs", "unpaired", "ranked", "demonstrations"})


class TermLoss(NamedTuple):
    """Losses before reduction.

    Attributes:
        values: losses in nats, shape ``[G]``.
        weights: what each counts in the sum, shape ``[G]``.
        owners: the record of each, shape ``[G]``, or ``None`` where it belongs to no single record.
    """

    values: Float[Tensor, " losses"]
    weights: Float[Tensor, " losses"]
    owners: Int[Tensor, " losses"] | None


class Term(Protocol):
    """One summand of an objective."""

    @property
    def requires(self) -> frozenset[str]: ...

    @property
    def data(self) -> frozenset[DataKind]: ...

    @property
    def coupling(self) -> str: ...

    @property
    def coupled(self) -> bool: ...

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss: ...

    def denominator(self, batch: Batch, lengths: Float[Tensor, " sequences"]) -> Tensor:
        """What the weighted sum of losses is divided by; a function of roles and lengths only."""
        ...

    def init(self) -> dict[str, Tensor]: ...

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]: ...

    def text(self) -> str: ...


@dataclass(frozen=True)
class _Stateless:
    """Defaults of a term that keeps nothing between batches."""

    @property
    def coupling(self) -> str:
        return "none"

    @property
    def coupled(self) -> bool:
        return False

    def init(self) -> dict[str, Tensor]:
        return {}

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]:
        return dict(state)


@dataclass(frozen=True)
class Pairwise(_Stateless):
    """link(gap − margin) for each pair, optionally mixed with the loss of the exchanged pair.

    loss = straight · link(g − m) + swapped · link(−g − m'), where g is the gap and m' the margin with the
    roles exchanged. ``straight, swapped`` are (1, 0) normally, (1−eps, eps) for label smoothing and
    (1−eps, −eps)/(1−2 eps) for robust DPO.
    """

    score: SequenceScore
    link: Link
    margin: Margin | None = None
    weight: PairWeight | None = None
    pairing: Pairing = field(default_factory=Aligned)
    straight: float = 1.0
    swapped: float = 0.0

    @property
    def requires(self) -> frozenset[str]:
        extra = self.weight.requires if self.weight else frozenset()
        return self.score.requires | extra

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS

    @property
    def coupling(self) -> str:
        return "batch" if self.pairing.coupled else "none"

    @property
    def coupled(self) -> bool:
        return self.pairing.coupled

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        gap, owners = self.pairing(self.score, scores, batch)
        values = self.straight * self._side(gap, scores, batch, swapped=False)
        if self.swapped:
            values = values + self.swapped * self._side(-gap, scores, batch, swapped=True)
        if self.weight is not None:
            values = values * self.weight(scores, batch)
        weights = torch.ones_like(gap) if owners is None else batch.weights[owners].to(gap.dtype)
        return TermLoss(values, weights.detach(), owners)

    def _side(self, gap: Tensor, scores: Scores, batch: Batch, *, swapped: bool) -> Tensor:
        margin = self.margin(scores, batch, swapped) if self.margin is not None else 0.0
        return self.link(gap - margin)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return self.pairing.count(batch)

    def text(self) -> str:
        gap = self.pairing.text(self.score)
        straight = f"({gap})" if self.margin is None else f"({gap} − {self.margin.text()})"
        body = self.link.text(straight)
        if self.straight != 1.0:
            body = f"{self.straight:g}·[{body}]"
        if self.swapped:
            sign = "+" if self.swapped > 0 else "−"
            body = f"{body} {sign} {abs(self.swapped):g}·[the same with w and l exchanged]"
        return f"{self.weight.text()}·[{body}]" if self.weight is not None else body


@dataclass(frozen=True)
class SortedUnpaired(Pairwise):
    """A pairwise term over two sorted samples that need not belong together (AOT, unpaired)."""

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS | UNPAIRED


@dataclass(frozen=True)
class Absolute(_Stateless):
    """link(± (score − shift)) for the completions of one role, without comparing them with the other.

    Args:
        role: which completions.
        score: their score.
        link: what a signed score costs.
        sign: +1 pushes the score up, −1 down.
        scale: constant factor (KTO's lambda).
        shift: statistic that is subtracted from the score.
        kinds: the data layouts that make sense for it.
    """

    role: Role
    score: SequenceScore
    link: Link
    sign: int
    scale: float = 1.0
    shift: Shift = field(default_factory=NoShift)
    kinds: frozenset[DataKind] = PAIRS

    @property
    def requires(self) -> frozenset[str]:
        extra = frozenset({"mismatched"}) if self.shift.coupling == "auxiliary" else frozenset()
        return self.score.requires | extra

    @property
    def data(self) -> frozenset[DataKind]:
        return self.kinds

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
            shift = shift.to(scores.token_logps.device)
        values = self.scale * self.link(self.sign * (self.score(scores, batch)[index] - shift))
        owners = batch.example[index]
        return TermLoss(values, batch.weights[owners].to(values.dtype), owners)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights.sum()

    def text(self) -> str:
        side = "w" if self.role == "chosen" else "l"
        inner = self.score.text(side)
        if not isinstance(self.shift, NoShift):
            inner = f"({inner} − {self.shift.text()})"
        signed = inner if self.sign > 0 else f"−{inner}"
        body = self.link.text(signed)
        return body if self.scale == 1.0 else f"{self.scale:g}·[{body}]"


@dataclass(frozen=True)
class Likelihood(_Stateless):
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
        return ANY_DATA

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
            "mean": "−log π(y_w) / |y_w|",
            "tokens": "−Σ log π(y_w) / Σ |y_w|",
        }[self.reduction]


@dataclass(frozen=True)
class Ranking(_Stateless):
    """Σ over pairs i, j of one prompt with reward_i < reward_j of link(s_j − s_i) (RRHF, 2304.05302, eq. 2)."""

    score: SequenceScore
    link: Link

    @property
    def requires(self) -> frozenset[str]:
        return self.score.requires

    @property
    def data(self) -> frozenset[DataKind]:
        return RANKED_OR_PAIRS

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        values = self.score(scores, batch)
        better, worse = _ordered_pairs(batch)
        losses = self.link(values[better] - values[worse])
        owners = batch.example[better]
        return TermLoss(losses, batch.weights[owners].to(losses.dtype), owners)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights.sum()

    def text(self) -> str:
        gap = f"({self.score.text('j')} − {self.score.text('i')})"
        return f"Σ over reward_i < reward_j of {self.link.text(gap)}"


def _ordered_pairs(batch: Batch) -> tuple[Tensor, Tensor]:
    """All (better, worse) sequence pairs of the same record; without rewards, chosen over rejected."""
    if batch.reward is None:
        return batch.chosen, batch.rejected
    same = batch.example[:, None] == batch.example[None, :]
    ordered = same & (batch.reward[:, None] > batch.reward[None, :])
    better, worse = torch.nonzero(ordered, as_tuple=True)
    return better, worse


@dataclass(frozen=True)
class SoftmaxRanking(_Stateless):
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
        return RANKED_OR_PAIRS

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        log_q = _segment_log_softmax(self.beta * self.score(scores, batch), batch)
        if batch.reward is None:
            target = torch.zeros_like(log_q).index_fill(0, batch.chosen, 1.0)
        else:
            target = _segment_log_softmax(batch.reward.to(log_q) / self.alpha, batch).exp()
        losses = batch.per_example(-target * log_q, torch.arange(scores.count, device=log_q.device))
        owners = torch.arange(batch.examples, device=log_q.device)
        return TermLoss(losses, batch.weights.to(losses.dtype), owners)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights.sum()

    def text(self) -> str:
        return f"−Σ_k softmax(reward/{self.alpha:g})_k · log softmax({self.beta:g}·{self.score.text('k')})_k"


def _segment_log_softmax(values: Tensor, batch: Batch) -> Tensor:
    """Log-softmax over the sequences of each record."""
    top = values.new_full((batch.examples,), -torch.inf).scatter_reduce(
        0, batch.example, values.detach(), reduce="amax"
    )
    shifted = values - top[batch.example]
    total = values.new_zeros(batch.examples).index_add(0, batch.example, shifted.exp())
    return shifted - total.log()[batch.example]
