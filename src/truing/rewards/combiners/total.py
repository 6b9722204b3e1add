"""The plain sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from truing.rewards.algebra import Rewards
from truing.rewards.combiners.masked import total
from truing.rewards.plain import plain


@dataclass(frozen=True)
class Total:
    """Σ_k R_k."""

    weighted: ClassVar[bool] = False
    partial: ClassVar[bool] = False

    def __call__(self, rewards: Rewards, weights: Tensor | None = None) -> Float[Tensor, " answers"]:
        return total(rewards)


@plain(
    kind="reward combiner",
    name="sum",
    summary="The sum; of log-probabilities (lsc-transform) it says that all hold.",
)
def sum_of_rewards() -> Total:
    """Σ_k R_k."""
    return Total()
