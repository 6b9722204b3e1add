"""SimPO (2405.14734, eq. 6).

gamma is the paper's, *outside* beta: −log σ(beta·(difference) − gamma). Some codes store gamma/beta instead.
"""

from truing.objectives.algebra import Logistic, Objective, mean_logp, pairwise
from truing.objectives.method import objective
from truing.objectives.parameters import Scale, TargetMargin
from truing.registry import Paper


@objective(
    name="simpo",
    slug="baseline-reference-free",
    paper=Paper("SimPO: Simple Preference Optimization with a Reference-Free Reward", 2024, "2405.14734"),
    summary="Compares length-normalised log-probabilities with a target margin; needs no reference model.",
    use_when="Memory is short, answers differ in length, and the learning rate can be tuned (3e-7 to 1e-6 at 7B).",
    avoid_when="Staying close to the starting model matters: no term holds it there.",
)
def simpo(beta: Scale = 2.0, gamma: TargetMargin = 1.0) -> Objective:
    """−log σ(beta (log π(y_w)/|y_w| − log π(y_l)/|y_l|) − gamma)."""
    return pairwise(name="simpo", score=mean_logp(), link=Logistic(beta), margin=gamma / beta)
