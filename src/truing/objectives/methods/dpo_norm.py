"""Length-normalised DPO as in Tulu 3 (2411.15124, section 5.1): beta 5 because the argument is per token."""

from truing.objectives.algebra import Logistic, Objective, log_ratio, pairwise
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.registry import Paper


@objective(
    name="dpo-norm",
    slug="baseline-pairwise",
    aliases=("sigmoid-norm",),
    paper=Paper("Tulu 3: Pushing Frontiers in Open Language Model Post-Training", 2024, "2411.15124"),
    summary="DPO on per-token log-ratios, so that long answers do not dominate.",
    use_when="Answer lengths differ much and DPO grows verbose.",
    avoid_when="Length itself is part of the preference.",
)
def dpo_norm(beta: Beta = 5.0) -> Objective:
    """−log σ(beta (r_w/|y_w| − r_l/|y_l|))."""
    return pairwise(name="dpo-norm", score=log_ratio("mean"), link=Logistic(beta))
