"""APO (2408.06266): apo-zero (eq. 7), apo-down (eq. 8), and apo-zero on unpaired feedback."""

from truing.objectives.algebra import UNPAIRED, Absolute, Complement, Objective, Pairwise, log_ratio
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.registry import Paper

PAPER = Paper(
    "Anchored Preference Optimization and Contrastive Revisions: Addressing Underspecification in Alignment",
    2024,
    "2408.06266",
)


@objective(
    name="apo-zero",
    slug="baseline-pairwise",
    paper=PAPER,
    summary="Raises the likelihood of chosen answers and lowers that of rejected ones, each on its own.",
    use_when="The chosen answers are better than what the model writes now.",
    avoid_when="The model is already better than the chosen answers: use apo-down.",
)
def apo_zero(beta: Beta = 0.1) -> Objective:
    """[1 − σ(beta r_w)] + σ(beta r_l)."""
    link, score = Complement(beta), log_ratio()
    terms = ((1.0, Absolute("chosen", score, link, +1)), (1.0, Absolute("rejected", score, link, -1)))
    return Objective("apo-zero", terms, reward=score, reward_scale=beta)


@objective(
    name="apo-down",
    slug="baseline-pairwise",
    paper=PAPER,
    summary="Lowers both likelihoods, that of the rejected answer further.",
    use_when="The model is already better than the chosen answers, which still rank above the rejected ones.",
    avoid_when="The chosen answers are worth imitating: use apo-zero.",
)
def apo_down(beta: Beta = 0.1) -> Objective:
    """σ(beta r_w) + [1 − σ(beta (r_w − r_l))]."""
    link, score = Complement(beta), log_ratio()
    terms = ((1.0, Absolute("chosen", score, link, -1)), (1.0, Pairwise(score, link)))
    return Objective("apo-down", terms, reward=score, reward_scale=beta)


@objective(
    name="apo-zero-unpaired",
    slug="baseline-unpaired",
    paper=PAPER,
    summary="apo-zero on thumbs-up / thumbs-down data: KTO with its KL baseline fixed at zero.",
    use_when="Feedback is unpaired and the extra forward pass of KTO's baseline is not wanted.",
    avoid_when="Implicit rewards drift as a whole: without a baseline the loss saturates.",
)
def apo_zero_unpaired(beta: Beta = 0.1) -> Objective:
    """1 − σ(beta r) for desirable, σ(beta r) for undesirable completions."""
    link, score = Complement(beta), log_ratio()
    terms = (
        (1.0, Absolute("chosen", score, link, +1, kinds=UNPAIRED)),
        (1.0, Absolute("rejected", score, link, -1, kinds=UNPAIRED)),
    )
    return Objective("apo-zero-unpaired", terms, reward=score, reward_scale=beta)
