"""What a summand of an objective is: weighted losses of scores, and what it needs for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import Batch, DataKind, Scores


class TermLoss(NamedTuple):
    """Losses before reduction.

    Attributes:
        values: losses in nats, shape ``[G]``.
        weights: what each counts in the sum, detached, shape ``[G]``.
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
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        """Parts that records must have beside them, with the data layouts that each may have."""
        ...

    @property
    def coupling(self) -> str: ...

    @property
    def coupled(self) -> bool: ...

    @property
    def compares(self) -> bool:
        """Whether it tells better from worse; a mere likelihood does not."""
        ...

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss: ...

    def denominator(self, batch: Batch, lengths: Float[Tensor, " sequences"]) -> Tensor:
        """What the weighted sum of losses is divided by; a function of roles and lengths only."""
        ...

    def init(self) -> dict[str, Tensor]: ...

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]: ...

    def report(self, state: State, names: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """Estimates in the state that a person wants to see, see :meth:`Objective.report`."""
        ...

    def text(self) -> str: ...


@runtime_checkable
class Measuring(Protocol):
    """A term with metrics of its own."""

    def measured(self, scores: Scores, batch: Batch) -> dict[str, Tensor]:
        """Sums over the batch, each ``x`` with its ``count/x``, as :func:`core_metrics` has them."""
        ...


@dataclass(frozen=True)
class Stateless:
    """Defaults of a comparison that keeps nothing between batches."""

    @property
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        return {}

    @property
    def coupling(self) -> str:
        return "none"

    @property
    def coupled(self) -> bool:
        return False

    @property
    def compares(self) -> bool:
        return True

    def init(self) -> dict[str, Tensor]:
        return {}

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]:
        return dict(state)

    def report(self, state: State, names: Mapping[str, Sequence[str]]) -> dict[str, float]:
        return {}
