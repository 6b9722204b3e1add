"""EXO for pairs (2402.00856, eq. 16); eps 1e-3 as in the paper. At eps = 0 the loss is infinite."""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Objective, ReverseKL, log_ratio, pairwise
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import Doc
from truing.registry import Paper


@objective(
    name="exo",
    slug="baseline-pairwise",
    aliases=("exo-pair",),
    paper=Paper("Towards Efficient Exact Optimization of Language Model Alignment", 2024, "2402.00856"),
    summary="Reverse KL of the policy's pair softmax from the smoothed label, where DPO takes the forward KL.",
    use_when="Pairs are to be fitted by reverse KL, the direction in which reinforcement learning fits.",
    avoid_when="Labels are noisy: the reverse KL commits to one side.",
)
def exo(
    beta: Beta = 0.1,
    eps: Annotated[
        float,
        Field(gt=0, lt=0.5, allow_inf_nan=False),
        Doc("label smoothing", "0 < eps < 0.5; at 0 the loss is infinite, at 0.5 neither side is preferred"),
    ] = 1e-3,
) -> Objective:
    """KL([q, 1 − q] ‖ [1 − eps, eps]), q = σ(beta (r_w − r_l))."""
    return pairwise(name="exo", score=log_ratio(), link=ReverseKL(beta, eps))
