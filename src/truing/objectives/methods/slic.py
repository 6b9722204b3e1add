"""SLiC-HF (2305.10425, eq. 1): hinge on plain log-probabilities plus likelihood of a target answer.

The paper regularises towards the SFT targets; here the chosen answers take that place.
"""

from typing import Annotated

from truing.objectives.algebra import Hinge, Likelihood, Objective, Pairwise, sum_logp
from truing.objectives.method import NON_NEGATIVE, POSITIVE, Doc, objective
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
    delta: Annotated[float, POSITIVE, Doc("margin in nats at which a pair stops contributing", "delta > 0")] = 1.0,
    sft_weight: Annotated[
        float, NON_NEGATIVE, Doc("coefficient of the likelihood of the chosen answer", "sft_weight >= 0")
    ] = 0.1,
) -> Objective:
    """max(0, delta − log π(y_w) + log π(y_l)) − sft_weight · log π(y_w)."""
    compare = Pairwise(score=sum_logp(), link=Hinge(1.0, delta))
    return Objective("slic", ((1.0, compare), (sft_weight, Likelihood("sum"))), reward=sum_logp())
