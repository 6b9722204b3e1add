"""InfAlign for worst-of-n (2412.19792): the calibrated reward, tilted towards its lower end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from truing.rewards.algebra import Context, Rewards
from truing.rewards.method import reward_transform
from truing.rewards.transforms.best_of_n import Tilt
from truing.rewards.transforms.calibrate import PAPER, Calibrated


@dataclass(frozen=True)
class ForWorstOfN:
    """−e^(−t C), from −1 to −e^(−t)."""

    t: float
    needs_reference: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        calibrated = Calibrated()(rewards, context)
        return calibrated.with_values(-torch.exp(-self.t * calibrated.values))


@reward_transform(
    name="infalign-worst-of-n",
    slug="infalign-ctrl",
    paper=PAPER,
    summary="The reward to train on if the worst of several answers decides, as with an adversary who tries again: "
    "calibrated, then tilted towards the worst quantiles.",
    formula="−e^(−t C(x, y))",
    legend=(
        "C: share of the reference's answers to the prompt that are beaten, ties half",
        "t: strength of the tilt",
    ),
    use_when="Safety is to hold against someone who samples several answers and uses the worst.",
    avoid_when="The best of several answers is used, or one answer is sampled: both lose. Compare at equal KL, never "
    "at equal beta.",
    requires=("rewards", "reference samples"),
    cost="about 100 samples of the reference policy for each prompt, once, and their rewards",
)
def worst_of_n(t: Tilt = 10.0) -> ForWorstOfN:
    """2412.19792: the exponential tilt with a negative exponent."""
    return ForWorstOfN(t)
