"""f-DPO (2309.16240, table 1): DPO under another divergence from the reference than reverse KL.

The order alpha of the alpha-divergence is that of common code, f'(u) = (u^(alpha − 1) − 1)/(alpha − 1), whose
limit at 1 is reverse KL; the paper's alpha is 1 minus it. Exponents are clamped at 80. Constants of f' that
cancel in the difference are kept, so that reported rewards are those of the paper.
"""

from typing import Annotated, Literal

from truing.errors import ObjectiveError
from truing.objectives.algebra import Divergence, DivergenceName, Logistic, Objective, pairwise
from truing.objectives.method import objective
from truing.objectives.parameters import Beta, Order
from truing.parameters import Doc
from truing.registry import Paper


@objective(
    name="f-dpo",
    slug="baseline-pairwise",
    paper=Paper(
        "Beyond Reverse KL: Generalizing Direct Preference Optimization with Diverse Divergence Constraints",
        2023,
        "2309.16240",
    ),
    summary="Exchanges the reverse KL behind DPO for forward KL, Jensen–Shannon or an alpha-divergence.",
    use_when="Diversity matters: forward KL and Jensen–Shannon give up less of it than reverse KL.",
    avoid_when="Log-ratios are large: forward KL explodes for answers that the policy has all but dropped.",
)
def f_dpo(
    beta: Beta = 0.1,
    divergence: Annotated[
        Literal["forward-kl", "jensen-shannon", "alpha", "reverse-kl"],
        Doc("the divergence", "reverse-kl (dpo itself), forward-kl, jensen-shannon or alpha"),
    ] = "jensen-shannon",
    alpha: Order = None,
) -> Objective:
    """−log σ(beta (f'(e^r_w) − f'(e^r_l)))."""
    return pairwise(name="f-dpo", score=Divergence(divergence, order(divergence, alpha)), link=Logistic(beta))


def order(divergence: DivergenceName, alpha: float | None) -> float:
    """The order of the alpha-divergence, 0.5 if left out.

    Raises:
        ObjectiveError: if one is given for another divergence.
    """
    if alpha is not None and divergence != "alpha":
        raise ObjectiveError(
            f"alpha = {alpha} would have no effect with divergence {divergence!r}",
            fix='set the divergence to "alpha", or remove alpha',
        )
    return 0.5 if alpha is None else alpha
