"""R-DPO (2403.19159, eq. 9): DPO with a length regulariser.

The reward being maximised is r(x, y) − alpha |y|; solving for r puts + alpha (|y_w| − |y_l|) inside the
link. A longer chosen answer thus has part of its win explained by length, and less is left to be learned
as quality. (Some restatements print the opposite sign, which would reward length.)
"""

from truing.objectives.algebra import LengthMargin, Objective
from truing.objectives.method import objective
from truing.objectives.methods.dpo import dpo
from truing.objectives.parameters import Beta, TokenPrice
from truing.registry import Paper


@objective(
    name="r-dpo",
    slug="baseline-pairwise",
    aliases=("length-regularized-dpo",),
    paper=Paper("Disentangling Length from Quality in Direct Preference Optimization", 2024, "2403.19159"),
    summary="DPO that charges alpha per token of extra length, so that length is not mistaken for quality.",
    use_when="Chosen answers are longer than rejected ones on average (`truing data check` says so).",
    avoid_when="Lengths are balanced already, or longer answers are really wanted.",
)
def r_dpo(beta: Beta = 0.1, alpha: TokenPrice = 0.01) -> Objective:
    """−log σ(beta (r_w − r_l) + alpha (|y_w| − |y_l|))."""
    return dpo(beta).with_margin(LengthMargin(-alpha / beta))
