"""Flex-DPO (2406.07327): two betas, of which the smaller one is that of the rejected answer.

DPO pushes the probability of the rejected answer π(y_w)/π(y_l) times as hard as that of the chosen, without bound
as it falls; a smaller beta there keeps more of its mass, and less of it disperses over answers outside the data.
The partition function of the prompt no longer cancels, so that reported rewards are approximate. Claims hold for
equal, moderate numbers of steps: in a very long run the sigmoid saturates later than DPO's and the rejected answer
can end lower. The paper lets the second beta adapt; the rule for it (``fade_below``) is this library's own.
"""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Discounted, Logistic, Objective, Pairwise, log_ratio
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper

PAPER = Paper("3D-Properties: Identifying Challenges in DPO and Charting a Path Forward", 2024, "2406.07327")


@objective(
    name="flex-dpo",
    slug="3d-dpo",
    aliases=("3d-dpo",),
    paper=PAPER,
    summary="DPO with a smaller beta for the rejected answer, whose likelihood then falls less.",
    use_when="Pairs were not written by the model itself, and DPO drives rejected answers to nothing.",
    avoid_when="Pairs are the model's own samples, or the run is very long: the rejected answer then ends no higher.",
)
def flex_dpo(
    beta_plus: Beta = 0.1,
    beta_minus: Annotated[
        float,
        POSITIVE,
        Doc(
            "beta of the rejected answer, below beta_plus; 0.02 to 0.08 beside 0.1 is usual",
            "beta_minus > 0; at 0 the rejected answer is ignored, below 0 it would be raised",
        ),
    ] = 0.05,
    fade_below: Annotated[
        float | None,
        Field(lt=0, allow_inf_nan=False),
        Doc(
            "log-ratio per token (nats) under which beta_minus fades away exponentially; none keeps it constant",
            "fade_below < 0, or none; at 0 and above it would act before the rejected answer has fallen",
        ),
    ] = None,
) -> Objective:
    """−log σ(beta⁺ r_w − beta⁻ r_l)."""
    score, pairing = log_ratio(), Discounted(beta_minus / beta_plus, fade_below)
    compare = Pairwise(score, Logistic(beta_plus), pairing=pairing)
    return Objective("flex-dpo", ((1.0, compare),), reward=score, reward_scale=beta_plus)
