"""The median of an ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from truing.rewards.algebra import Rewards
from truing.rewards.combiners.mean import ENSEMBLE
from truing.rewards.method import reward_combiner


@dataclass(frozen=True)
class Median:
    """The middle reward; the mean of the two in the middle, where their number is even."""

    weighted: ClassVar[bool] = False
    partial: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, weights: Tensor | None = None) -> Float[Tensor, " answers"]:
        # nan sorts last, behind what is known.
        ordered, count = rewards.values.sort(1).values, rewards.valid.sum(1, keepdim=True)
        low, high = (count - 1).clamp(min=0) // 2, (count // 2).clamp(max=ordered.shape[1] - 1)
        return (ordered.gather(1, low) + ordered.gather(1, high))[:, 0] / 2


@reward_combiner(
    name="median",
    slug="reward-ensemble",
    paper=ENSEMBLE,
    summary="The median of several reward models: a single member that is far off does not count.",
    formula="median_m R_m",
    legend=("R_m: reward of member m",),
    use_when="Single members give extreme scores now and then.",
    avoid_when="There are only two members, of which it is the mean; or members share what is wrong with them.",
    requires=("rewards on one scale",),
    cost="one scoring pass for each member",
)
def median() -> Median:
    """2312.09244, section 4: the median over the members."""
    return Median()
