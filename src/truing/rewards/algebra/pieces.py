"""The three kinds of piece between scores and one number: transforms, combiners and weighters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from truing.rewards.algebra.context import Context
from truing.rewards.algebra.values import Rewards


@runtime_checkable
class Transform(Protocol):
    """R^K → R^K, each objective by itself; what is masked stays masked."""

    @property
    def needs_reference(self) -> bool:
        """Whether it compares with samples of a reference policy."""

    @property
    def pointwise(self) -> bool:
        """Whether an answer's number depends on that answer, its prompt and the reference alone."""

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        """Transform N answers."""


@runtime_checkable
class Combiner(Protocol):
    """R^K → R, row by row. The order of objectives does not matter, if weights are ordered with them."""

    @property
    def weighted(self) -> bool:
        """Whether weights have an effect; without them all objectives count alike."""

    @property
    def partial(self) -> bool:
        """Whether the result keeps its meaning and scale where some objectives are masked."""

    def __call__(
        self, rewards: Rewards, weights: Float[Tensor, "answers objectives"] | None = None
    ) -> Float[Tensor, " answers"]:
        """One number for each answer from the objectives that are known; ``nan`` where none is."""


@runtime_checkable
class Weighter(Protocol):
    """What each objective counts for each answer's prompt."""

    def __call__(self, names: Sequence[str], context: Context) -> Float[Tensor, "answers objectives"]:
        """Weights in the order of ``names``: in the simplex, or of norm 1 where the weighter draws directions."""
