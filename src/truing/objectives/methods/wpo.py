"""WPO (2406.11827, eq. 5): DPO whose pairs weigh as much as the policy would write them itself.

The authors clamp the weight at 1; so does this. The modifier ``wpo`` does the same for other pairwise losses.
"""

from truing.objectives.algebra import Objective, OnPolicyWeight
from truing.objectives.method import objective
from truing.objectives.methods.dpo import dpo
from truing.objectives.parameters import Beta
from truing.registry import Paper


@objective(
    name="wpo",
    slug="baseline-pairwise",
    paper=Paper("WPO: Enhancing RLHF with Weighted Preference Optimization", 2024, "2406.11827"),
    summary="DPO that trusts pairs more the likelier the current policy is to produce them.",
    use_when="Answers come from other models, and on-policy sampling is too costly.",
    avoid_when="Answers are from the policy itself (all weights are near 1) or very far from it (all near 0).",
)
def wpo(beta: Beta = 0.1) -> Objective:
    """min(1, w(y_w) w(y_l)) · (−log σ(beta d)), w(y) = exp(mean_t [log π(y_t) − log Σ_v π(v)²]), detached."""
    return dpo(beta).weighted(OnPolicyWeight())
