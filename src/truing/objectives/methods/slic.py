"""SLiC-HF (2305.10425, eq. 1): hinge on plain log-probabilities plus likelihood of a target answer.

The paper regularises towards the SFT targets; here the chosen answers take that place.
"""

from typing import Annotated

from truing.objectives.algebra import Hinge, Objective, pairwise, sum_logp
from truing.objectives.method import objective
from truing.objectives.methods.sft import nll
from truing.parameters import NON_NEGATIVE, POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="slic",
    slug="baseline-pairwise",
    aliases=("slic-hf",),
    paper=Paper("SLiC-HF: Sequence Likelihood Calibration with Human Feedback", 2023, "2305.10425"),
    summary="Calibrates sequence likelihoods: chosen above rejected by delta nats, without a reference model.",
    use_when="No reference model fits in memory and a margin in nats is meaningful.",
    avoid_when="Answer lengths differ much: summed log-probabilities favour short answers.",
)
def slic(
    delta: Annotated[
        float,
        POSITIVE,
        Doc("margin in nats at which a pair stops contributing", "delta > 0; at 0 a tie costs nothing"),
    ] = 1.0,
    sft_weight: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "coefficient of the likelihood of the chosen answer",
            "sft_weight >= 0; 0 leaves it out, below 0 the chosen answer would be unlearned",
        ),
    ] = 0.1,
) -> Objective:
    """max(0, delta − log π(y_w) + log π(y_l)) − sft_weight · log π(y_w)."""
    compare = pairwise(name="slic", score=sum_logp(), link=Hinge(1.0, delta))
    return compare if sft_weight == 0 else compare + sft_weight * nll("sum")
