"""cDPO: DPO with smoothed labels.

Published as a note by the authors of DPO (E. Mitchell, "A note on DPO with noisy preferences and relationship
to IPO", 2023), analysed in 2403.00409. Finite optimum: beta d* = log((1 − eps)/eps).
"""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Objective
from truing.objectives.method import Beta, Doc, objective
from truing.objectives.methods.dpo import dpo
from truing.registry import Paper


@objective(
    name="cdpo",
    slug="baseline-pairwise",
    paper=Paper("Provably Robust DPO: Aligning Language Models with Noisy Feedback", 2024, "2403.00409"),
    summary="DPO towards a label that is right with probability 1 − eps, so that the margin has a finite target.",
    use_when="Some labels are wrong and a conservative fit is wanted.",
    avoid_when="The flip rate is known and the clean optimum is wanted: rdpo removes the bias, cdpo shrinks.",
)
def cdpo(
    beta: Beta = 0.1,
    eps: Annotated[
        float,
        Field(gt=0, lt=0.5, allow_inf_nan=False),
        Doc("probability that a label is wrong", "0 < eps < 0.5; at 0.5 nothing can be learned, 0 is dpo"),
    ] = 0.1,
) -> Objective:
    """(1 − eps)(−log σ(beta d)) + eps (−log σ(−beta d))."""
    return dpo(beta).smoothed(eps)
