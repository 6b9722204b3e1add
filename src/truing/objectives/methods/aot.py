"""AOT (2406.05882): alignment by optimal transport, on paired (eq. 9) and unpaired data (eq. 10).

Sorting is over the whole global batch, whatever the micro-batches; batches of 8 or more are advised.
"""

from typing import Annotated

from truing.objectives.algebra import (
    Logistic,
    Objective,
    Pairwise,
    SortedGaps,
    SortedSides,
    SortedUnpaired,
    log_ratio,
)
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import BELOW_HALF, Doc
from truing.registry import Paper

PAPER = Paper("Distributional Preference Alignment of LLMs via Optimal Transport", 2024, "2406.05882")

Eps = Annotated[
    float,
    BELOW_HALF,
    Doc("label smoothing", "0 <= eps < 0.5; at 0.5 neither side is preferred"),
]


@objective(
    name="aot",
    slug="baseline-pairwise",
    aliases=("aot-paired", "aot-pair"),
    paper=PAPER,
    summary="Makes the distribution of policy gaps dominate that of reference gaps (first order).",
    use_when="The whole distribution of margins matters more than each pair, with batches of 8 or more.",
    avoid_when="Batches are tiny, or single pairs must be weighted: after sorting a pair has no identity.",
)
def aot(beta: Beta = 0.1, eps: Eps = 0.0) -> Objective:
    """Logistic loss on sorted(log π gap) − sorted(log ref gap)."""
    term = Pairwise(log_ratio(), Logistic(beta), pairing=SortedGaps(), straight=1 - eps, swapped=eps)
    return Objective("aot", ((1.0, term),), reward=log_ratio(), reward_scale=beta)


@objective(
    name="aot-unpaired",
    slug="baseline-pairwise",
    paper=PAPER,
    summary="Makes the distribution of chosen rewards dominate that of rejected rewards, without pairs.",
    use_when="Good and bad answers belong to different prompts.",
    avoid_when="Batches are tiny or one-sided: a batch without both classes has no loss.",
)
def aot_unpaired(beta: Beta = 0.1, eps: Eps = 0.0) -> Objective:
    """Logistic loss on sorted(r_w) − sorted(r_l)."""
    term = SortedUnpaired(log_ratio(), Logistic(beta), pairing=SortedSides(), straight=1 - eps, swapped=eps)
    return Objective("aot-unpaired", ((1.0, term),), reward=log_ratio(), reward_scale=beta)
