"""RRHF (2304.05302, eq. 2–4): rank answers by length-normalised likelihood, and imitate the best."""

from typing import Annotated

from truing.objectives.algebra import Likelihood, Objective, Ranking, ReLU, mean_logp
from truing.objectives.method import NON_NEGATIVE, Doc, objective
from truing.registry import Paper


@objective(
    name="rrhf",
    slug="baseline-reference-free",
    paper=Paper("RRHF: Rank Responses to Align Language Models with Human Feedback without tears", 2023, "2304.05302"),
    summary="Makes length-normalised likelihoods follow the order of the rewards of K answers.",
    use_when="Every prompt has several scored answers and no reference model fits.",
    avoid_when="There are only pairs with strong labels: the zero-margin hinge stops as soon as the order is right.",
)
def rrhf(
    sft_weight: Annotated[
        float, NON_NEGATIVE, Doc("coefficient of the likelihood of the best answer", "sft_weight >= 0")
    ] = 1.0,
) -> Objective:
    """Σ over reward_i < reward_j of max(0, s_i − s_j), plus the negative log-likelihood of the best answer."""
    score = mean_logp()
    return Objective("rrhf", ((1.0, Ranking(score, ReLU())), (sft_weight, Likelihood("mean"))), reward=score)
