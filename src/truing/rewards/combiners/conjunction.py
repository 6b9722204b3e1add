"""Logical AND (2402.00742): the log-probability that an answer is good in every respect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from truing.rewards.algebra import Rewards
from truing.rewards.combiners.masked import total
from truing.rewards.method import reward_combiner
from truing.rewards.transforms.lsc import PAPER


@dataclass(frozen=True)
class Conjunction:
    """Σ_k log σ(R_k), in nats."""

    weighted: ClassVar[bool] = False
    partial: ClassVar[bool] = False

    def __call__(self, rewards: Rewards, weights: Tensor | None = None) -> Float[Tensor, " answers"]:
        return total(rewards, logsigmoid(rewards.values))


@reward_combiner(
    name="conjunction",
    slug="lsc-transform",
    paper=PAPER,
    summary="The log-probability that an answer is good in all respects at once, so that excess in one cannot pay "
    "for a failure in another.",
    formula="Σ_k log σ(R_k)",
    legend=("R_k: reward for objective k in nats, 0 where good and not good are equally likely",),
    use_when="Several Bradley–Terry rewards are to hold at once, each centred at its own reference level (transform "
    "centre with a quantile; lsc-transform and sum are the same thing in other words).",
    avoid_when="Rewards are not log-odds; or objectives may be traded against each other, which a weighted sum does.",
    requires=("rewards", "a level that counts as good for each"),
    cost="none beside the rewards",
    aliases=("and", "sum-of-log-sigmoids"),
)
def conjunction() -> Conjunction:
    """2402.00742, section 4: log P(all G_k = 1) for conditionally independent properties."""
    return Conjunction()
