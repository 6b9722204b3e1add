"""The smallest reward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from truing.rewards.algebra import Rewards
from truing.rewards.combiners.mean import ENSEMBLE
from truing.rewards.method import reward_combiner


@dataclass(frozen=True)
class WorstCase:
    """min_k R_k."""

    weighted: ClassVar[bool] = False
    partial: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, weights: Tensor | None = None) -> Float[Tensor, " answers"]:
        least = rewards.values.masked_fill(~rewards.valid, torch.inf).min(1).values
        return least.masked_fill(~rewards.valid.any(1), torch.nan)


@reward_combiner(
    name="min",
    slug="reward-ensemble",
    paper=ENSEMBLE,
    summary="The smallest of several rewards: an answer is worth what its harshest judge says.",
    formula="min_m R_m",
    legend=("R_m: reward of member m, or for objective m; all on one scale",),
    use_when="Members of an ensemble err in different places and being wrong is costly; or every one of several "
    "objectives has to be met.",
    avoid_when="Members are on different scales (standardise them first: the smallest scale would always decide), or "
    "one member is noisy.",
    requires=("rewards on one scale",),
    cost="one scoring pass for each member",
    aliases=("worst-case",),
)
def worst_case() -> WorstCase:
    """2312.09244, section 4: the minimum over the members."""
    return WorstCase()
