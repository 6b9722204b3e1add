"""AlphaPO (2501.03884): SimPO with a bent reward beta (1 − p^(−alpha))/alpha.

The paper tunes alpha per model (0.1 to 0.25 for the models it reports); the default 0.25 is a starting point.
"""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Logistic, Objective, Power, pairwise
from truing.objectives.method import objective
from truing.objectives.parameters import Scale, TargetMargin
from truing.parameters import Doc
from truing.registry import Paper


@objective(
    name="alphapo",
    slug="baseline-reference-free",
    paper=Paper("AlphaPO: Reward Shape Matters for LLM Alignment", 2025, "2501.03884"),
    summary="SimPO whose reward shape is changed by one parameter, which moderates likelihood displacement.",
    use_when="SimPO lowers the likelihood of chosen answers too much.",
    avoid_when="There is no budget to tune a third hyper-parameter.",
)
def alphapo(
    beta: Scale = 2.0,
    gamma: TargetMargin = 1.0,
    alpha: Annotated[
        float,
        Field(allow_inf_nan=False, ge=-2, le=2),
        Doc(
            "shape of the reward; 0 is SimPO",
            "-2 <= alpha <= 2; outside, rewards of improbable answers overflow or vanish",
        ),
    ] = 0.25,
) -> Objective:
    """−log σ(R(y_w) − R(y_l) − gamma), R = beta (1 − p^(−alpha))/alpha, p = exp(mean log π)."""
    return pairwise(name="alphapo", score=Power(alpha), link=Logistic(beta), margin=gamma / beta)
