"""IPO (2310.12036, eq. 17).

The authors confirmed that log-ratios are averaged over tokens; the formula in the paper reads as a sum,
which is length-sensitive. Both are offered, the mean is the default. ``tau`` is the paper's (0.1).
"""

from typing import Annotated, Literal

from truing.objectives.algebra import Objective, Squared, log_ratio, pairwise
from truing.objectives.method import objective
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="ipo",
    slug="baseline-pairwise",
    paper=Paper(
        "A General Theoretical Paradigm to Understand Learning from Human Preferences", 2023, "2310.12036"
    ),
    summary="Regresses the log-ratio difference on a finite target instead of pushing it to infinity.",
    use_when="Preferences are near-deterministic, or DPO over-fits: the optimum is finite for any win rate.",
    avoid_when="The scale of the margin matters: with the default reduction the target 1/(2 tau) is per token.",
)
def ipo(
    tau: Annotated[
        float,
        POSITIVE,
        Doc(
            "regularisation: the target difference is 1/(2 tau)",
            "tau > 0; at 0 the target is infinite, below 0 the preference is reversed",
        ),
    ] = 0.1,
    reduction: Annotated[
        Literal["mean", "sum"],
        Doc("whether log-ratios are averaged or summed over tokens", '"mean" or "sum"; nothing else is defined'),
    ] = "mean",
) -> Objective:
    """(r_w − r_l − 1/(2 tau))²."""
    return pairwise(name="ipo", score=log_ratio(reduction), link=Squared(1 / (2 * tau)), reward_scale=tau)
