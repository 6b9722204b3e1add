"""DPO (2305.18290, eq. 7).

Default beta 0.1 is the paper's (0.5 for summarisation). The gradient depends on the difference of the two
log-ratios only, so both likelihoods may fall while the loss improves.
"""

from truing.objectives.algebra import Logistic, Objective, log_ratio, pairwise
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.registry import Paper

PAPER = Paper("Direct Preference Optimization: Your Language Model is Secretly a Reward Model", 2023, "2305.18290")


@objective(
    name="dpo",
    slug="baseline-pairwise",
    aliases=("sigmoid",),
    paper=PAPER,
    summary="Fits a Bradley–Terry model whose reward is beta times the policy/reference log-ratio.",
    use_when="The default for clean pairs; the method that every other one is compared with.",
    avoid_when="Labels are deterministic or noisy (the log-ratio difference grows without bound: ipo, cdpo, rdpo) "
    "or the chosen likelihood must not fall (nca, apo-zero, or dpo plus nll).",
)
def dpo(beta: Beta = 0.1) -> Objective:
    """−log σ(beta (r_w − r_l)), r = log π/ref summed over the completion."""
    return pairwise(name="dpo", score=log_ratio(), link=Logistic(beta))
