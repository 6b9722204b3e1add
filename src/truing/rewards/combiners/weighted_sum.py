"""The weighted sum, with equal weights where none are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from truing.rewards.algebra import Rewards
from truing.rewards.combiners.masked import shares, total
from truing.rewards.plain import plain


@dataclass(frozen=True)
class WeightedSum:
    """Σ_k w_k R_k."""

    weighted: ClassVar[bool] = True
    partial: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, weights: Tensor | None = None) -> Float[Tensor, " answers"]:
        return total(rewards, shares(rewards, weights) * rewards.values)


@plain(
    kind="reward combiner",
    name="weighted-sum",
    summary="Each objective times its weight; without a weighter all weigh 1/K.",
    aliases=("linear",),
)
def weighted_sum() -> WeightedSum:
    """Σ_k w_k R_k."""
    return WeightedSum()
