"""Uncertainty-weighted optimisation (2310.02743): the mean of an ensemble, less its variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from jaxtyping import Float
from torch import Tensor

from truing.parameters import POSITIVE, Doc
from truing.registry import Paper
from truing.rewards.algebra import Rewards
from truing.rewards.combiners.masked import mean
from truing.rewards.method import reward_combiner

Price = Annotated[
    float,
    POSITIVE,
    Doc(
        "price of variance, in units of 1/reward",
        "penalty > 0; at 0 it is the mean, below 0 disagreement would be sought",
    ),
]


@dataclass(frozen=True)
class UncertaintyWeighted:
    """mean_m R_m − λ var_m R_m, the variance with M."""

    penalty: float
    weighted: ClassVar[bool] = False
    partial: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, weights: Tensor | None = None) -> Float[Tensor, " answers"]:
        centre = mean(rewards)
        return centre - self.penalty * mean(rewards, (rewards.values - centre[:, None]).square())


@reward_combiner(
    name="uncertainty-weighted",
    slug="reward-ensemble",
    paper=Paper("Reward Model Ensembles Help Mitigate Overoptimization", 2023, "2310.02743"),
    summary="The mean of several reward models, less their variance: far more careful than mean-minus-std where "
    "members disagree widely, and less where they nearly agree.",
    formula="mean_m R_m − λ var_m R_m",
    legend=("R_m: reward of member m", "var: divided by M; 0 for one member", "λ: price of variance"),
    use_when="Members agree on most answers and contradict each other on few, which are to be avoided.",
    avoid_when="The scale of rewards is not fixed: variance grows with its square, so that λ has to be chosen anew.",
    requires=("rewards on one scale",),
    cost="one scoring pass for each member",
)
def uncertainty_weighted(penalty: Price = 0.5) -> UncertaintyWeighted:
    """2310.02743, section 3: uncertainty-weighted optimisation."""
    return UncertaintyWeighted(penalty)
