"""The mean of an ensemble, less what its members disagree by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from jaxtyping import Float
from torch import Tensor

from truing.parameters import POSITIVE, Doc
from truing.rewards.algebra import Rewards
from truing.rewards.combiners.masked import mean, total
from truing.rewards.combiners.mean import ENSEMBLE
from truing.rewards.method import reward_combiner

Caution = Annotated[
    float,
    POSITIVE,
    Doc("price of disagreement", "k > 0; at 0 it is the mean, below 0 disagreement would be sought"),
]


@dataclass(frozen=True)
class MeanMinusStd:
    """mean_m R_m − k std_m R_m, the standard deviation with M − 1; one member alone does not disagree."""

    k: float
    weighted: ClassVar[bool] = False
    partial: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, weights: Tensor | None = None) -> Float[Tensor, " answers"]:
        centre = mean(rewards)
        apart = total(rewards, (rewards.values - centre[:, None]).square())
        return centre - self.k * (apart / (rewards.valid.sum(1) - 1).clamp(min=1)).sqrt()


@reward_combiner(
    name="mean-minus-std",
    slug="reward-ensemble",
    paper=ENSEMBLE,
    summary="The mean of several reward models, less k times their standard deviation: answers on which they "
    "disagree are worth less.",
    formula="mean_m R_m − k std_m R_m",
    legend=("R_m: reward of member m", "std: with M − 1; 0 for one member", "k: price of disagreement"),
    use_when="A policy is optimised hard and should keep to answers that all members understand.",
    avoid_when="Members are on different scales, or come from one backbone, so that they agree where they are wrong.",
    requires=("rewards on one scale",),
    cost="one scoring pass for each member",
)
def mean_minus_std(k: Caution = 1.0) -> MeanMinusStd:
    """2312.09244, section 4: the mean minus the standard deviation."""
    return MeanMinusStd(k)
