"""RRHF (2304.05302, eq. 2–4): rank answers by length-normalised likelihood, and imitate the best."""

from truing.objectives.algebra import Objective, Ranking, ReLU, mean_logp
from truing.objectives.method import objective
from truing.objectives.methods.sft import nll
from truing.objectives.parameters import BestAnswerWeight
from truing.registry import Paper


@objective(
    name="rrhf",
    slug="baseline-reference-free",
    paper=Paper(
        "RRHF: Rank Responses to Align Language Models with Human Feedback without tears", 2023, "2304.05302"
    ),
    summary="Makes length-normalised likelihoods follow the order of the rewards of K answers.",
    use_when="Every prompt has several scored answers and no reference model fits.",
    avoid_when="There are only pairs with strong labels: the hinge without margin stops once the order is right.",
)
def rrhf(
    sft_weight: BestAnswerWeight = 1.0,
) -> Objective:
    """Σ over reward_i < reward_k of max(0, s_i − s_k), plus the negative log-likelihood of the best answer."""
    score = mean_logp()
    compare = Objective("rrhf", ((1.0, Ranking(score, ReLU())),), reward=score)
    return compare if sft_weight == 0 else compare + sft_weight * nll("mean")
