"""D2O (2403.03419, eq. 8): the policy's own samples, as a distribution, against one disliked answer.

Samples come from an earlier policy, never from the current one: the expected gradient of their term is zero at the
policy that drew them, and what anchors is that it has moved on since.
"""

from typing import Annotated

from truing.objectives.algebra import Logistic, Objective, log_ratio
from truing.objectives.algebra.across import AcrossParts, SamplesAgainst
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper

SAMPLES = "samples"
"""Name of the part that holds the policy's own answers."""


@objective(
    name="d2o",
    slug="d2o",
    paper=Paper(
        "Negating Negatives: Alignment with Human Negative Samples via Distributional Dispreference Optimization",
        2024,
        "2403.03419",
    ),
    summary="Learns from disliked answers alone, against several answers of the policy's own.",
    use_when="Only what people disliked is known, and the model's own answers are better than that.",
    avoid_when="The model's own answers are as bad as the disliked ones: then nothing tells the two apart.",
)
def d2o(
    beta: Beta = 0.1,
    alpha: Annotated[
        float | None,
        POSITIVE,
        Doc(
            "strength on the disliked answer; as beta if left out", "alpha > 0, or none; at 0 nothing is disliked"
        ),
    ] = None,
) -> Objective:
    """−log σ((beta/K) Σ_k r_k − alpha r_l)."""
    share = 1.0 if alpha is None else alpha / beta
    term = AcrossParts(log_ratio(), Logistic(beta), pairing=SamplesAgainst(SAMPLES, share))
    return Objective("d2o", ((1.0, term),), reward=log_ratio(), reward_scale=beta)
