"""MAPL (2505.12845): preferences between prompts beside those between answers.

Intra: one answer should be likelier, against the reference, under a prompt whose instructions it obeys than under one
whose instructions it breaks. Inter: a pair's gap should be wider under instructions that only the chosen answer obeys
than under instructions that both obey; there the partition functions cancel.
"""

from typing import Annotated

from truing.errors import ObjectiveError
from truing.objectives.algebra import Logistic, Objective, log_ratio, pairwise
from truing.objectives.algebra.across import AcrossParts, BetweenParts, GapOfGaps
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper

Coefficient = Annotated[
    float,
    NON_NEGATIVE,
    Doc("coefficient of this comparison between prompts", ">= 0; 0 leaves it out, below 0 it would be reversed"),
]


@objective(
    name="mapl",
    slug="mapl",
    paper=Paper(
        "Multi-level Aware Preference Learning: Enhancing RLHF for Complex Multi-Instruction Tasks",
        2025,
        "2505.12845",
    ),
    summary="DPO, and beside it comparisons between prompts with checkable instructions that it makes itself.",
    use_when="Prompts carry several instructions, and answers ignore some of them.",
    avoid_when="Answers are free of instructions; each pair costs six further sequences.",
)
def mapl(beta: Beta = 0.1, intra: Coefficient = 1.0, inter: Coefficient = 1.0) -> Objective:
    """−log σ(beta (r_w − r_l)) + intra · between two prompts + inter · between two gaps."""
    if intra == inter == 0:
        raise ObjectiveError(
            "intra and inter are both 0, so that no prompts are compared",
            allowed="one of them above 0",
            fix="use dpo",
        )
    score, link = log_ratio(), Logistic(beta)
    total = pairwise(name="mapl", score=score, link=link)
    for coefficient, pairing in ((intra, BetweenParts("met", "unmet")), (inter, GapOfGaps("wide", "narrow"))):
        if coefficient:
            term = AcrossParts(score, link, pairing=pairing)
            total = total + Objective("mapl", ((coefficient, term),), reward=score, reward_scale=beta)
    return total
