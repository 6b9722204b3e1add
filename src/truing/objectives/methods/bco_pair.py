"""BCO on pairs without a shift (2404.04656, eq. 7): a binary classifier whose logit is the implicit reward."""

from truing.objectives.algebra import Absolute, Logistic, Objective, log_ratio
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.registry import Paper


@objective(
    name="bco-pair",
    slug="baseline-pairwise",
    paper=Paper("Binary Classifier Optimization for Large Language Model Alignment", 2024, "2404.04656"),
    summary="Classifies chosen and rejected one by one; an upper bound of the DPO loss.",
    use_when="Chosen answers are good and rejected ones bad in absolute terms.",
    avoid_when="Both answers are good (or both bad): the absolute labels are then wrong.",
)
def bco_pair(beta: Beta = 0.1) -> Objective:
    """−log σ(beta r_w) − log σ(−beta r_l)."""
    link, score = Logistic(beta), log_ratio()
    terms = ((1.0, Absolute("chosen", score, link, +1)), (1.0, Absolute("rejected", score, link, -1)))
    return Objective("bco-pair", terms, reward=score, reward_scale=beta)
