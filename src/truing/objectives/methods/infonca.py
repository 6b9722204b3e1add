"""InfoNCA (2402.05369, eq. 9): cross-entropy of the policy's softmax over K answers against their rewards.

With two answers and the reward difference going to infinity it is DPO.
"""

from typing import Annotated

from truing.objectives.algebra import Objective, SoftmaxRanking, log_ratio
from truing.objectives.method import objective
from truing.objectives.methods.nca import PAPER
from truing.objectives.parameters import Beta
from truing.parameters import POSITIVE, Doc


@objective(
    name="infonca",
    slug="baseline-pairwise",
    aliases=("infonca-pair",),
    paper=PAPER,
    summary="Uses the scalar rewards of K answers instead of only their order.",
    use_when="Every prompt has several answers with scores that are comparable within the prompt.",
    avoid_when="Scores are ordinal only, or there are just pairs (then it is dpo).",
)
def infonca(
    beta: Beta = 0.1,
    alpha: Annotated[
        float,
        POSITIVE,
        Doc(
            "temperature of the rewards: small values look at the best answer only",
            "alpha > 0; at 0 it would divide by zero, below 0 low rewards would be preferred",
        ),
    ] = 1.0,
) -> Objective:
    """−Σ_k softmax(reward/alpha)_k · log softmax(beta r)_k."""
    score = log_ratio()
    return Objective("infonca", ((1.0, SoftmaxRanking(score, beta, alpha)),), reward=score, reward_scale=beta)
