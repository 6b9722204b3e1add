"""cDPO: DPO with smoothed labels.

Published as a note by the authors of DPO (E. Mitchell, "A note on DPO with noisy preferences and relationship
to IPO", 2023), analysed in 2403.00409. Finite optimum: beta d* = log((1 − eps)/eps).
"""

from truing.objectives.algebra import Objective
from truing.objectives.method import objective
from truing.objectives.methods.dpo import dpo
from truing.objectives.parameters import Beta, Smoothing
from truing.registry import Paper


@objective(
    name="cdpo",
    slug="baseline-pairwise",
    paper=Paper("Provably Robust DPO: Aligning Language Models with Noisy Feedback", 2024, "2403.00409"),
    summary="DPO towards a label that is right with probability 1 − eps, so that the margin has a finite target.",
    use_when="Some labels are wrong and a conservative fit is wanted.",
    avoid_when="The flip rate is known and the clean optimum is wanted: rdpo removes the bias, cdpo shrinks.",
)
def cdpo(beta: Beta = 0.1, eps: Smoothing = 0.1) -> Objective:
    """(1 − eps)(−log σ(beta d)) + eps (−log σ(−beta d))."""
    return dpo(beta).smoothed(eps)
