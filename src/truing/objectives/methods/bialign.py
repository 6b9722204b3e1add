"""BiAlign (2312.17055): a student takes from its teacher what to say, and which demonstrations to learn from.

A record is a query with its gold answer under the demonstrations from which the teacher answers it better; the part
``worse`` is the same query and answer under demonstrations from which the teacher answers it worse. `truing data
few-shot` writes both. The paper speaks of the sum over tokens, here each answer counts by its mean, as in DCKD; the
form of the margin is the catalogue's, and not checked against the paper.
"""

from typing import Annotated

from truing.objectives.algebra import Objective, mean_logp
from truing.objectives.algebra.across import AcrossParts, AgainstPart
from truing.objectives.algebra.distributional import TokenMean
from truing.objectives.algebra.links import ReLU
from truing.objectives.algebra.margins import RecordMargin
from truing.objectives.method import objective
from truing.objectives.methods.distillation import Teacher
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper

PART = "worse"
RankWeight = Annotated[
    float, NON_NEGATIVE, Doc("coefficient of the ranking of demonstrations", ">= 0; 0 leaves distillation alone")
]
MarginScale = Annotated[
    float,
    NON_NEGATIVE,
    Doc(
        "margin, in nats a token, of two sets of demonstrations as far apart as the teacher's best and worst",
        ">= 0; 0 wants the teacher's order and nothing else",
    ),
]


@objective(
    name="bialign",
    slug="bialign",
    paper=Paper(
        "Beyond Output Matching: Bidirectional Alignment for Enhanced In-Context Learning", 2023, "2312.17055"
    ),
    summary="A student follows the teacher's distributions, and its order of demonstrations for the same query.",
    use_when="A small model should learn in context as a large one of the same family does, and which demonstrations "
    "it is shown matters.",
    avoid_when="Teacher and student have different tokenizers, or the teacher does not care which demonstrations it "
    "sees: such queries say nothing.",
    kind="distillation",
)
def bialign(
    teacher: Teacher = "truing/tiny", rank_weight: RankWeight = 1.0, margin: MarginScale = 0.0
) -> Objective:
    """½ mean_t KL_t(y) + ½ the same under worse demonstrations + rank_weight · max(0, margin − (s − s_worse))."""
    follow = Objective("bialign", ((0.5, TokenMean(f"kl:{teacher}", "chosen", "KL_t")),), reward=mean_logp())
    total = follow + follow.on(PART)
    if rank_weight:
        term = AcrossParts(
            mean_logp(), ReLU(), margin=RecordMargin(margin) if margin else None, pairing=AgainstPart(PART)
        )
        total = total + Objective("bialign", ((rank_weight, term),), reward=mean_logp())
    return total.named("bialign")
