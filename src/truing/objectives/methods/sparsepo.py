"""SparsePO and MaPO (2410.05102), and TDPO (2404.11999) of which they are weighted forms.

Every token has a weight for its share of the reward and one for its share of the divergence from the reference. The
weights come from the reference's states: through a small network that is trained along and made sparse by an L1 price
(SparsePO), or directly from how active the reference is (MaPO).
"""

from dataclasses import replace
from typing import Annotated, Literal

from truing.objectives.algebra import Logistic, Objective, log_ratio, pairwise
from truing.objectives.algebra.distributional import MaskedLogRatio, MaskSize
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper

PAPER = Paper("SparsePO: Controlling Preference Alignment of LLMs via Sparse Token Masks", 2024, "2410.05102")
Sparsity = Annotated[
    float,
    NON_NEGATIVE,
    Doc("price of the mask's L1 norm", ">= 0; 0 leaves masks dense, below 0 they would grow without bound"),
]


@objective(
    name="tdpo",
    slug="sparsepo",
    paper=Paper("Token-level Direct Preference Optimization", 2024, "2404.11999"),
    summary="DPO whose margin also counts how far each answer's token distributions have moved from the reference.",
    use_when="DPO drifts further from the reference than its win rate is worth.",
    avoid_when="Memory is short: the reference stays in memory, and both models' logits meet at every position.",
    aliases=("tdpo-1",),
)
def tdpo(beta: Beta = 0.1) -> Objective:
    """−log σ(beta [(r_w − r_l) − (Σ KL_t(y_l) − Σ KL_t(y_w))])."""
    return pairwise(name="tdpo", score=MaskedLogRatio(), link=Logistic(beta))


@objective(
    name="sparsepo",
    slug="sparsepo",
    paper=PAPER,
    summary="Token-level DPO that learns which tokens carry the preference, and leaves the others to the reference.",
    use_when="A few tokens decide which answer is better, and the rest should not drift.",
    avoid_when="Memory is short (see tdpo), or data are few: the masks are learned, too.",
)
def sparsepo(
    beta: Beta = 0.1,
    masks: Annotated[
        Literal["common", "independent"],
        Doc("one mask for reward and divergence, or one each", '"common" or "independent"'),
    ] = "common",
    reward_sparsity: Sparsity = 0.001,
    divergence_sparsity: Sparsity = 0.001,
) -> Objective:
    """−log σ(beta [u − δ]) + prices of the masks; u and δ are the masked reward and divergence gaps."""
    names = ("mask:common", "mask:common") if masks == "common" else ("mask:reward", "mask:divergence")
    prices: list[tuple[float, MaskSize]] = [
        (reward_sparsity, MaskSize(names[0], "m_u")),
        (divergence_sparsity, MaskSize(names[1], "m_d")),
    ]
    if masks == "common":
        # One mask and not two: half of each price.
        prices = [((reward_sparsity + divergence_sparsity) / 2, MaskSize(names[0], "m"))]
    total = pairwise(name="sparsepo", score=MaskedLogRatio(*names), link=Logistic(beta))
    return replace(total, terms=(*total.terms, *((price, mask) for price, mask in prices if price)))


@objective(
    name="mapo",
    slug="sparsepo",
    paper=PAPER,
    summary="Token-level DPO with weights from how active the reference's layers are at each token.",
    use_when="As sparsepo, without anything further to train.",
    avoid_when="Activity says little about which tokens matter.",
)
def mapo(beta: Beta = 0.1) -> Objective:
    """−log σ(beta [u − δ]) with the same mask, in [0, 1] within each answer, on reward and divergence."""
    score = MaskedLogRatio("mask:activation", "mask:activation")
    return Objective("mapo", pairwise(name="mapo", score=score, link=Logistic(beta)).terms, log_ratio(), beta)
