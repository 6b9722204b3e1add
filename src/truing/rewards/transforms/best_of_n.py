"""InfAlign for best-of-n (2412.19792): the calibrated reward, tilted towards its upper end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch

from truing.parameters import POSITIVE, Doc
from truing.rewards.algebra import Context, Rewards
from truing.rewards.method import reward_transform
from truing.rewards.transforms.calibrate import PAPER, Calibrated

Tilt = Annotated[
    float,
    POSITIVE,
    Doc(
        "how strongly the end of the quantiles counts that decides about the inference procedure",
        "t > 0; towards 0 it is the calibrated reward, stretched",
    ),
]


@dataclass(frozen=True)
class ForBestOfN:
    """e^(t (C − 1)), from e^(−t) to 1."""

    t: float
    needs_reference: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        calibrated = Calibrated()(rewards, context)
        return calibrated.with_values(torch.exp(self.t * (calibrated.values - 1)))


@reward_transform(
    name="infalign-best-of-n",
    slug="infalign-ctrl",
    paper=PAPER,
    summary="The reward to train on if the best of several answers will be used: calibrated, then tilted towards the "
    "best quantiles.",
    formula="e^(t (C(x, y) − 1))",
    legend=(
        "C: share of the reference's answers to the prompt that are beaten, ties half",
        "t: strength of the tilt; dividing by e^t keeps the reward in (0, 1], so that beta keeps its meaning",
    ),
    use_when="Several answers will be sampled and the one with the highest reward used.",
    avoid_when="One answer is sampled (use calibrate), or an adversary picks the worst of several (use "
    "infalign-worst-of-n). Compare at equal KL, never at equal beta.",
    requires=("rewards", "reference samples"),
    cost="about 100 samples of the reference policy for each prompt, once, and their rewards",
    aliases=("infalign-ctrl", "infalign"),
)
def best_of_n(t: Tilt = 10.0) -> ForBestOfN:
    """2412.19792: the exponential tilt with a positive exponent."""
    return ForBestOfN(t)
