"""LD-DPO (2409.06411, eq. 9): tokens beyond the shorter answer's length count alpha.

The paper's best alpha lies between 0.3 and 0.6, depending on the model; the default 0.5 is ours. The same
change is available for any log-ratio objective as the modifier ``ld``.
"""

from truing.objectives.algebra import Objective, SharedPrefix
from truing.objectives.method import objective
from truing.objectives.methods.dpo import dpo
from truing.objectives.parameters import Beta, TailWeight
from truing.registry import Paper


@objective(
    name="ld-dpo",
    slug="baseline-pairwise",
    paper=Paper("Length Desensitization in Direct Preference Optimization", 2024, "2409.06411"),
    summary="DPO in which the part of an answer that exceeds the other's length counts less.",
    use_when="DPO makes answers longer and length should not be learned.",
    avoid_when="The decisive part of answers comes late, after the shorter answer's end.",
)
def ld_dpo(beta: Beta = 0.1, alpha: TailWeight = 0.5) -> Objective:
    """DPO with log p(y) = log p(first m tokens) + alpha log p(rest), m = min(|y_w|, |y_l|)."""
    return dpo(beta).with_token_weights(SharedPrefix(alpha))
