"""What terms and scores share that read a head at answers with numbers beside them: ratings, or values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from truing.objectives.algebra.scores import Batch, DataKind
from truing.objectives.algebra.term import Stateless, TermLoss


class OnRanked(ABC):
    """Reads a head of so many outputs at ranked answers."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Of the head."""

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({f"value:{self.outputs}"})

    @property
    def data(self) -> frozenset[DataKind]:
        return frozenset({"ranked"})


@dataclass(frozen=True)
class EachAnswer(OnRanked, Stateless):
    """A loss of every answer by itself, mean over the answers that count."""

    @property
    def compares(self) -> bool:
        return False

    def counted(self, batch: Batch) -> Float[Tensor, " sequences"]:
        """1 for each of the records' answers that counts, else 0; by default all do."""
        return batch.weights.new_ones(len(batch.sequences))

    def of_answers(self, values: Float[Tensor, " sequences"], batch: Batch) -> TermLoss:
        """Losses of the records' answers, in their order."""
        owners = batch.example[batch.sequences]
        weights = batch.weights[owners].to(values.dtype) * self.counted(batch).to(values)
        return TermLoss(values, weights, owners)

    def denominator(self, batch: Batch, lengths: Float[Tensor, " sequences"]) -> Tensor:
        return (batch.weights[batch.example[batch.sequences]] * self.counted(batch)).sum()
