"""Directions of preference (DPA, 2402.18571): a unit vector of weights, drawn for each prompt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from truing.parameters import Doc
from truing.policies.fingerprint import of_values
from truing.registry import Paper
from truing.rewards.algebra import Context
from truing.rewards.method import reward_weighter

PAPER = Paper(
    "Arithmetic Control of LLMs for Diverse User Preferences: Directional Preference Alignment with Multi-Objective "
    "Rewards",
    2024,
    "2402.18571",
)
HalfAngle = Annotated[
    float,
    Field(gt=0, le=90, allow_inf_nan=False),
    Doc(
        "largest angle between a direction and the first objective, in degrees",
        "0 < half_angle <= 90; beyond it the first objective would be worked against",
    ),
]
Seed = Annotated[int, Field(ge=0), Doc("seed of the directions", "a whole number of at least 0")]


@dataclass(frozen=True)
class Directions:
    """v = cos t · e_1 + sin t · s, with t uniform from 0 to the half angle and s a unit vector across e_1.

    The draw depends on seed, round and prompt alone: a sampler that writes v into the prompt and the reward that judges
    the answers see the same v, also after a run was resumed.

    Args:
        half_angle: degrees.
        seed: of the draws.
    """

    half_angle: float
    seed: int

    def of(self, key: str, round: int, objectives: int) -> Float[Tensor, " objectives"]:
        """The direction of one prompt in one round."""
        drawn = torch.Generator().manual_seed(int(of_values([self.seed, round, key])[:15], 16))
        angle = math.radians(self.half_angle) * float(torch.rand(1, generator=drawn, dtype=torch.float64))
        across = torch.randn(objectives - 1, generator=drawn, dtype=torch.float64)
        if objectives == 1:
            return torch.ones(1, dtype=torch.float64)
        first = torch.tensor([math.cos(angle)], dtype=torch.float64)
        return torch.cat([first, math.sin(angle) * across / across.norm()])

    def __call__(self, names: Sequence[str], context: Context) -> Float[Tensor, "answers objectives"]:
        drawn = {key: self.of(key, context.round, len(names)) for key in dict.fromkeys(context.keys)}
        return torch.stack([drawn[key] for key in context.keys])


@reward_weighter(
    name="dpa-direction",
    slug="dpa",
    paper=PAPER,
    summary="Draws for each prompt a direction in the space of rewards; a policy that is told the direction learns a "
    "whole arc of trade-offs.",
    formula="R(x, v, y) = vᵀ R(x, y), ‖v‖ = 1, arccos(v_1) uniform in [0, α]",
    legend=("R: rewards on one scale, e.g. 0 to 100", "v: direction of the prompt", "α: half_angle"),
    use_when="One model is to serve users with different wishes, who say them as numbers in the prompt.",
    avoid_when="The policy does not see the direction (online.condition: direction shows it): the reward is then "
    "noise around the mean direction. "
    "Objectives on different scales have to be brought to one first.",
    requires=("rewards of two or more objectives on one scale",),
    cost="none beside the rewards",
)
def dpa_direction(half_angle: HalfAngle = 45.0, seed: Seed = 0) -> Directions:
    """2402.18571, section 3: angles within ±45 degrees of helpfulness, for two objectives."""
    return Directions(half_angle, seed)
