"""Slot 3 of the algebra: which gaps are formed from the scores of a batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.formula import over, scaled
from truing.objectives.algebra.scores import Batch, Scores
from truing.objectives.algebra.sequence_scores import LogProb, SequenceScore, missing_reference


class Pairing(Protocol):
    """Gaps, one a comparison, and the record each belongs to.

    ``coupled`` is true where one gap depends on several records, so that the loss of a part of the batch
    cannot be formed without the scores of the rest.
    """

    @property
    def coupled(self) -> bool: ...

    def __call__(
        self, score: SequenceScore, scores: Scores, batch: Batch
    ) -> tuple[Float[Tensor, " gaps"], Int[Tensor, " gaps"] | None]:
        """Gaps, and the record of each; ``None`` where a gap belongs to no single record."""
        ...

    def count(self, batch: Batch) -> Tensor:
        """Total weight of the gaps: what the sum of weighted losses is divided by."""
        ...

    def sides(self, score: SequenceScore, better: str = "w", worse: str = "l") -> tuple[str, str]:
        """The formulas of what is pushed up and of what is pushed down."""
        ...


@dataclass(frozen=True)
class Aligned:
    """s(y_w) − s(y_l) of the two answers to the same prompt."""

    coupled = False

    def __call__(
        self, score: SequenceScore, scores: Scores, batch: Batch
    ) -> tuple[Float[Tensor, " gaps"], Int[Tensor, " gaps"]]:
        values = score(scores, batch)
        return values[batch.chosen] - values[batch.rejected], batch.example[batch.chosen]

    def count(self, batch: Batch) -> Tensor:
        return batch.weights[batch.example[batch.chosen]].sum()

    def sides(self, score: SequenceScore, better: str = "w", worse: str = "l") -> tuple[str, str]:
        return score.text(better), score.text(worse)


@dataclass(frozen=True)
class Discounted:
    """s(y_w) − share·s(y_l): the rejected answer counts less than the chosen (Flex-DPO, 2406.07327).

    With ``fade_below`` the share of a rejected answer fades once its score per token lies under the threshold t,
    as share·e^(s/|y| − t), without gradient through the exponential.

    Args:
        share: beta⁻/beta⁺ of the paper.
        fade_below: t < 0, nats per token; ``None`` keeps the share constant.
    """

    share: float
    fade_below: float | None = None
    coupled = False

    def __call__(
        self, score: SequenceScore, scores: Scores, batch: Batch
    ) -> tuple[Float[Tensor, " gaps"], Int[Tensor, " gaps"]]:
        values = score(scores, batch)
        rejected = self.share * values[batch.rejected]
        if self.fade_below is not None:
            per_token = (values.detach() / scores.lengths.clamp(min=1))[batch.rejected]
            rejected = rejected * torch.exp((per_token - self.fade_below).clamp(max=0))
        return values[batch.chosen] - rejected, batch.example[batch.chosen]

    def count(self, batch: Batch) -> Tensor:
        return Aligned().count(batch)

    def sides(self, score: SequenceScore, better: str = "w", worse: str = "l") -> tuple[str, str]:
        rejected = scaled(self.share, score.text(worse))
        if self.fade_below is not None:
            # The threshold is negative.
            rejected += f"·min(1, e^({over(score.text(worse), f'|y_{worse}|')} + {-self.fade_below:g}))"
        return score.text(better), rejected


@dataclass(frozen=True)
class SortedGaps:
    """AOT, paired (2406.05882, eq. 9): the i-th smallest policy gap against the i-th smallest reference gap.

    Sorting is over the whole global batch, so this pairing is coupled. The score must be a log-ratio, whose two
    sides are sorted apart.
    """

    coupled = True

    def __call__(self, score: SequenceScore, scores: Scores, batch: Batch) -> tuple[Float[Tensor, " gaps"], None]:
        kept = _kept(batch, batch.chosen)
        chosen, rejected = batch.chosen[kept], batch.rejected[kept]
        policy, reference = _two_sides(score, scores, batch)
        gaps = torch.sort(policy[chosen] - policy[rejected]).values
        return gaps - torch.sort(reference[chosen] - reference[rejected]).values, None

    def count(self, batch: Batch) -> Tensor:
        return _kept(batch, batch.chosen).sum()

    def sides(self, score: SequenceScore, better: str = "w", worse: str = "l") -> tuple[str, str]:
        own = _policy_side(score)
        left = f"{own.text(better)} − {own.text(worse)}"
        return f"sort({left})", f"sort({left.replace('π', 'ref')})"


@dataclass(frozen=True)
class SortedSides:
    """AOT, unpaired (2406.05882, eq. 10): quantiles of the chosen scores against those of the rejected.

    With unequal counts the larger side is interpolated linearly at the quantiles of the smaller one.
    """

    coupled = True

    def __call__(self, score: SequenceScore, scores: Scores, batch: Batch) -> tuple[Float[Tensor, " gaps"], None]:
        values = score(scores, batch)
        better, worse = (
            torch.sort(values[index[_kept(batch, index)]]).values for index in (batch.chosen, batch.rejected)
        )
        count = min(len(better), len(worse))
        return _quantiles(better, count) - _quantiles(worse, count), None

    def count(self, batch: Batch) -> Tensor:
        return torch.minimum(_kept(batch, batch.chosen).sum(), _kept(batch, batch.rejected).sum())

    def sides(self, score: SequenceScore, better: str = "w", worse: str = "l") -> tuple[str, str]:
        return f"sort({score.text(better)})", f"sort({score.text(worse)})"


def _policy_side(score: SequenceScore) -> LogProb:
    """The log-probability in a log-ratio."""
    if not isinstance(score, LogProb) or not score.reference:
        raise ObjectiveError(
            f"gaps of policy and reference can be sorted apart only for log-ratios; the score is {score.text('w')}"
        )
    return replace(score, reference=False)


def _two_sides(score: SequenceScore, scores: Scores, batch: Batch) -> tuple[Tensor, Tensor]:
    """The policy's and the reference's part of a log-ratio, each ``[N]``."""
    own = _policy_side(score)
    if scores.reference is None:
        raise missing_reference()
    return own(scores, batch), own(replace(scores, token_logps=scores.reference), batch)


def _kept(batch: Batch, sequences: Tensor) -> Tensor:
    """Which of ``sequences`` belong to records of positive weight; sorting ignores the size of a weight."""
    return batch.weights[batch.example[sequences]] > 0


def _quantiles(ordered: Tensor, count: int) -> Tensor:
    """``count`` evenly spaced quantiles of sorted values (midpoint rule, linear interpolation)."""
    if len(ordered) == count or count == 0:
        return ordered[:count]
    # In float64 on the CPU: a float32 rank among thousands would move the quantile.
    position = (torch.arange(count, dtype=torch.float64) + 0.5) / count * len(ordered) - 0.5
    position = position.clamp(0, len(ordered) - 1)
    below, above = position.floor().long(), position.ceil().long()
    fraction = (position - below).to(ordered)
    return torch.lerp(ordered[below], ordered[above], fraction)
