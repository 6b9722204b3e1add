"""Robust DPO (2403.00409, eq. 12): unbiased for the clean loss when labels are flipped at a known rate.

Per pair the loss is unbounded below (it falls linearly on a flipped pair), so clip gradients and stop early.
Not to be confused with R-DPO, which regularises length.
"""

from truing.objectives.algebra import Objective
from truing.objectives.method import objective
from truing.objectives.methods.dpo import dpo
from truing.objectives.parameters import Beta, FlipRate
from truing.registry import Paper


@objective(
    name="rdpo",
    slug="rdpo",
    aliases=("robust",),
    paper=Paper("Provably Robust DPO: Aligning Language Models with Noisy Feedback", 2024, "2403.00409"),
    summary="DPO whose expectation under flipped labels is the DPO loss of the clean labels.",
    use_when="Labels are flipped at random at a rate that is known or can be estimated.",
    avoid_when="The flip rate is a guess near 0.5 (variance grows as 1/(1 − 2 eps)²) or errors are systematic.",
)
def rdpo(beta: Beta = 0.1, flip_rate: FlipRate = 0.1) -> Objective:
    """[(1 − eps) l(d) − eps l(−d)] / (1 − 2 eps), l(d) = −log σ(beta d)."""
    return dpo(beta).robust(flip_rate)
