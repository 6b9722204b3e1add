"""Hinge loss on DPO's margin: the reference-based form of SLiC from RSO (2309.06657, eq. 8)."""

from typing import Annotated

from truing.objectives.algebra import Hinge, Objective, log_ratio, pairwise
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="hinge",
    slug="baseline-pairwise",
    paper=Paper("Statistical Rejection Sampling Improves Preference Optimization", 2023, "2309.06657"),
    summary="Stops pushing a pair apart once its margin reaches delta.",
    use_when="Many pairs are already separated and should be left alone.",
    avoid_when="Calibrated preference probabilities are wanted.",
)
def hinge(
    beta: Beta = 0.1,
    delta: Annotated[
        float, POSITIVE, Doc("margin at which a pair stops contributing", "delta > 0; at 0 a tie costs nothing")
    ] = 1.0,
) -> Objective:
    """max(0, delta − beta (r_w − r_l))."""
    return pairwise(name="hinge", score=log_ratio(), link=Hinge(beta, delta))
