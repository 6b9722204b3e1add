"""NCA for pairs (2402.05369, eq. 12 with K = 2 and the chosen answer taking all the weight)."""

from truing.objectives.algebra import Absolute, Logistic, Objective, log_ratio
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.registry import Paper

PAPER = Paper("Noise Contrastive Alignment of Language Models with Explicit Rewards", 2024, "2402.05369")


@objective(
    name="nca",
    slug="baseline-pairwise",
    aliases=("nca-pair",),
    paper=PAPER,
    summary="Optimises absolute rewards, so that the likelihood of the chosen answer does not sink.",
    use_when="The chosen likelihood must be kept, e.g. in reasoning or code.",
    avoid_when="Only the ranking matters and the largest margin is wanted.",
)
def nca(beta: Beta = 0.1) -> Objective:
    """−log σ(beta r_w) − ½ log σ(−beta r_w) − ½ log σ(−beta r_l)."""
    link, score = Logistic(beta), log_ratio()
    terms = (
        (1.0, Absolute("chosen", score, link, +1)),
        (0.5, Absolute("chosen", score, link, -1)),
        (0.5, Absolute("rejected", score, link, -1)),
    )
    return Objective("nca", terms, reward=score, reward_scale=beta)
