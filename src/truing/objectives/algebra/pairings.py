"""Slot 3 of the algebra: which gaps are formed from the scores of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.objectives.algebra.scores import Batch, Scores
from truing.objectives.algebra.sequence_scores import LogProb, SequenceScore


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

    def text(self, score: SequenceScore) -> str: ...


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

    def text(self, score: SequenceScore) -> str:
        return f"{score.text('w')} − {score.text('l')}"


@dataclass(frozen=True)
class SortedGaps:
    """AOT, paired (2406.05882, eq. 9): the i-th smallest policy gap against the i-th smallest reference gap.

    Sorting is over the whole global batch, so this pairing is coupled.
    """

    coupled = True

    def __call__(
        self, score: SequenceScore, scores: Scores, batch: Batch
    ) -> tuple[Float[Tensor, " gaps"], None]:
        kept = _kept(batch, batch.chosen)
        chosen, rejected = batch.chosen[kept], batch.rejected[kept]
        policy = LogProb("sum")(scores, batch)
        reference = policy - LogProb("sum", reference=True)(scores, batch)
        gaps = torch.sort(policy[chosen] - policy[rejected]).values
        gaps = gaps - torch.sort(reference[chosen] - reference[rejected]).values.detach()
        return gaps, None

    def count(self, batch: Batch) -> Tensor:
        return _kept(batch, batch.chosen).sum()

    def text(self, score: SequenceScore) -> str:
        return "sorted(log π(y_w) − log π(y_l)) − sorted(log ref(y_w) − log ref(y_l))"


@dataclass(frozen=True)
class SortedSides:
    """AOT, unpaired (2406.05882, eq. 10): quantiles of the chosen scores against those of the rejected.

    With unequal counts the larger side is interpolated linearly at the quantiles of the smaller one.
    """

    coupled = True

    def __call__(
        self, score: SequenceScore, scores: Scores, batch: Batch
    ) -> tuple[Float[Tensor, " gaps"], None]:
        values = score(scores, batch)
        better, worse = (
            torch.sort(values[index[_kept(batch, index)]]).values for index in (batch.chosen, batch.rejected)
        )
        count = min(len(better), len(worse))
        return _quantiles(better, count) - _quantiles(worse, count), None

    def count(self, batch: Batch) -> Tensor:
        return torch.minimum(_kept(batch, batch.chosen).sum(), _kept(batch, batch.rejected).sum())

    def text(self, score: SequenceScore) -> str:
        return f"sorted({score.text('w')}) − sorted({score.text('l')})"


def _kept(batch: Batch, sequences: Tensor) -> Tensor:
    """Which of ``sequences`` belong to records of positive weight; sorting ignores the size of a weight."""
    return batch.weights[batch.example[sequences]] > 0


def _quantiles(ordered: Tensor, count: int) -> Tensor:
    """``count`` evenly spaced quantiles of sorted values (midpoint rule, linear interpolation)."""
    if len(ordered) == count or count == 0:
        return ordered[:count]
    position = (torch.arange(count, device=ordered.device) + 0.5) / count * len(ordered) - 0.5
    position = position.clamp(0, len(ordered) - 1)
    below = position.floor().long()
    above = position.ceil().long()
    return torch.lerp(ordered[below], ordered[above], (position - below).to(ordered.dtype))
