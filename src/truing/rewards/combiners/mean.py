"""The mean of an ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from truing.registry import Paper
from truing.rewards.algebra import Rewards
from truing.rewards.combiners.masked import mean
from truing.rewards.method import reward_combiner

ENSEMBLE = Paper(
    "Helping or Herding? Reward Model Ensembles Mitigate but do not Eliminate Reward Hacking", 2023, "2312.09244"
)


@dataclass(frozen=True)
class Mean:
    """Σ_m R_m / M."""

    weighted: ClassVar[bool] = False
    partial: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, weights: Tensor | None = None) -> Float[Tensor, " answers"]:
        return mean(rewards)


@reward_combiner(
    name="mean",
    slug="reward-ensemble",
    paper=ENSEMBLE,
    summary="The mean of several reward models: errors of one are averaged away, errors of all stay.",
    formula="Σ_m R_m / M",
    legend=("R_m: reward of member m", "M: number of members"),
    use_when="Several reward models are at hand, best of all from different pretraining runs; it is the aggregate to "
    "start with.",
    avoid_when="Members share what is wrong with them (length, format, one backbone): no aggregate removes that.",
    requires=("rewards on one scale",),
    cost="one scoring pass for each member",
)
def mean_of_members() -> Mean:
    """2312.09244, section 4: the mean over the members."""
    return Mean()
