"""SPPO with hard labels (2405.00675, eq. 4.7 with win probabilities 1 and 0).

The paper's beta 1e-3 means a target of ±500 nats on the summed log-ratio. That is far for short answers:
scale beta so that 1/(2 beta) is a change you would accept, e.g. 0.05 for ±10 nats.
"""

from truing.objectives.algebra import Absolute, Objective, Squared, log_ratio
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.registry import Paper


@objective(
    name="sppo-hard",
    slug="baseline-pairwise",
    aliases=("sppo",),
    paper=Paper("Self-Play Preference Optimization for Language Model Alignment", 2024, "2405.00675"),
    summary="Regresses each log-ratio on ±1/(2 beta): one step of multiplicative weights towards the Nash policy.",
    use_when="Answers were sampled from the current policy and labelled, iteration by iteration.",
    avoid_when="Pairs are off-policy: the target does not depend on how likely the answers are.",
)
def sppo_hard(beta: Beta = 1e-3) -> Objective:
    """(r_w − 1/(2 beta))² + (r_l + 1/(2 beta))²."""
    link, score = Squared(1 / (2 * beta)), log_ratio()
    terms = ((1.0, Absolute("chosen", score, link, +1)), (1.0, Absolute("rejected", score, link, -1)))
    return Objective("sppo-hard", terms, reward=score, reward_scale=beta)
