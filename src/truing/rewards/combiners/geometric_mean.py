"""Mutual welfare (GTAlign, 2510.08872): the geometric mean, which is low where either side gets little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper
from truing.rewards.algebra import Rewards
from truing.rewards.combiners.masked import not_negative, shares, total
from truing.rewards.method import reward_combiner

Shift = Annotated[
    float,
    NON_NEGATIVE,
    Doc(
        "added to every reward before the mean and taken off after it, so that none is negative; 1e-4 in the paper",
        "shift >= 0; the larger, the more it is like the arithmetic mean",
    ),
]


@dataclass(frozen=True)
class GeometricMean:
    """Π_k (R_k + c)^{w_k} − c."""

    shift: float
    weighted: ClassVar[bool] = True
    partial: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, weights: Tensor | None = None) -> Float[Tensor, " answers"]:
        values = not_negative(rewards, self.shift, "geometric-mean")
        # xlogy: an objective of weight 0 has no say, not even at a reward of 0.
        logs = torch.special.xlogy(shares(rewards, weights), values)
        return total(rewards, logs).exp() - self.shift


@reward_combiner(
    name="geometric-mean",
    slug="gtalign",
    paper=Paper("GTAlign: Game-Theoretic Alignment of LLM Assistants for Mutual Welfare", 2025, "2510.08872"),
    summary="The geometric mean of utilities: neither side can be given up for the other.",
    formula="Π_k (R_k + c)^{w_k} − c, with Σ_k w_k = 1",
    legend=("R_k: utility of side k, at least −c", "w_k: weights, 1/K without a weighter", "c: shift"),
    use_when="Utilities are on one positive scale and a balance between them is wanted, e.g. what a user gains and "
    "what an answer costs.",
    avoid_when="Rewards may be negative, as Bradley–Terry rewards are: use conjunction, or calibrate them first. Where "
    "a utility is 0, nothing tells answers apart.",
    requires=("rewards that are not negative",),
    cost="none beside the rewards",
    aliases=("mutual-welfare",),
)
def geometric_mean(shift: Shift = 0.0) -> GeometricMean:
    """2510.08872: the mutual welfare reward √(U_user U_model), for any number of sides."""
    return GeometricMean(shift)
