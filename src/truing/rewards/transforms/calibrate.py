"""Calibrated rewards (2412.19792): the share of the reference's answers that an answer beats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from truing.registry import Paper
from truing.rewards.algebra import Context, Rewards
from truing.rewards.method import reward_transform

PAPER = Paper("InfAlign: Inference-aware Language Model Alignment", 2024, "2412.19792")


@dataclass(frozen=True)
class Calibrated:
    """C(x, y) in [0, 1]."""

    needs_reference: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        stats = context.statistics("calibrate").only(rewards.names)
        return rewards.with_values(stats.cdf(rewards.values, context.keys))


@reward_transform(
    name="calibrate",
    slug="infalign-ctrl",
    paper=PAPER,
    summary="Replaces a reward by its quantile among the reference policy's answers to the same prompt: the win rate "
    "against the reference.",
    formula="C(x, y) = P(R(x, z) < R(x, y)) + P(R(x, z) = R(x, y)) / 2",
    legend=("R: any reward; only its order within a prompt matters", "z: an answer of the reference policy"),
    use_when="The scale of a reward means little or differs between prompts, and the win rate against the reference "
    "is what counts. It is the reward for answers that are sampled once.",
    avoid_when="How much better an answer is matters, and not only how often it wins; or few reference answers can "
    "be sampled, as M answers tell 2M + 1 levels apart.",
    requires=("rewards", "reference samples"),
    cost="about 100 samples of the reference policy for each prompt, once, and their rewards",
)
def calibrate() -> Calibrated:
    """2412.19792, definition of the calibrated reward; ties count half."""
    return Calibrated()
