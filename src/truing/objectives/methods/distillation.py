"""DCKD and ADPA (2502.17927): distillation of an aligned teacher into a small student."""

from typing import Annotated

from pydantic import Field

from truing.errors import ObjectiveError
from truing.objectives.algebra import Objective, log_ratio, sum_logp
from truing.objectives.algebra.distributional import TokenMean
from truing.objectives.algebra.scores import PAIRS, SAMPLES, WITH_LIKED
from truing.objectives.method import objective
from truing.objectives.methods.sft import nll
from truing.parameters import NON_NEGATIVE, POSITIVE, Doc
from truing.registry import Paper

PAPER = Paper(
    "Advantage-Guided Distillation for Preference Alignment in Small Language Models", 2025, "2502.17927"
)
# In the name of a comparison | stands between two models.
_NAME = Field(min_length=1, pattern=r"^[^|]*$")
Teacher = Annotated[
    str,
    _NAME,
    Doc(
        "hub name or folder of the aligned teacher, which has the same tokens as the student",
        "len(teacher) >= 1, without |; without another model there is nothing to learn from",
    ),
]
TeacherStart = Annotated[
    str,
    _NAME,
    Doc(
        "the teacher before its alignment",
        "len(teacher_start) >= 1, without |; what alignment taught is a difference of two models",
    ),
]
Weight = Annotated[float, NON_NEGATIVE, Doc("coefficient of this term", ">= 0; 0 leaves it out")]


@objective(
    name="dckd",
    slug="dckd-adpa",
    paper=PAPER,
    summary="A student follows the teacher's next-token distributions on chosen and on rejected answers.",
    use_when="A small model should become like a large aligned one of the same family.",
    avoid_when="Teacher and student have different tokenizers.",
    kind="distillation",
)
def dckd(
    teacher: Teacher = "truing/tiny", sft_weight: Weight = 1.0, chosen: Weight = 1.0, rejected: Weight = 1.0
) -> Objective:
    """sft_weight · NLL(y_w) + chosen · mean_t KL_t(y_w) + rejected · mean_t KL_t(y_l), KL(teacher ‖ student)."""
    weights = {"chosen": chosen, "rejected": rejected}
    terms = tuple(
        (weight, TokenMean(f"kl:{teacher}", role, "KL_t", PAIRS))  # type: ignore[arg-type]
        for role, weight in weights.items()
        if weight
    )
    if not terms:
        raise ObjectiveError("chosen and rejected are both 0: nothing is distilled", fix="use sft")
    total = Objective("dckd", terms, reward=sum_logp())
    return total + sft_weight * nll("mean") if sft_weight else total


@objective(
    name="adpa",
    slug="dckd-adpa",
    paper=PAPER,
    summary="A student raises, on its own samples, what the teacher learned in its alignment, token by token.",
    use_when="After dckd (ADPA+), with the teacher before and after its alignment at hand.",
    avoid_when="Without the likelihood term: the advantage alone is largest at a single token.",
    kind="distillation",
)
def adpa(
    teacher: Teacher = "truing/tiny",
    teacher_start: TeacherStart = "truing/tiny",
    gamma: Annotated[float, POSITIVE, Doc("coefficient of the advantage", "gamma > 0; at 0 it is sft")] = 0.1,
) -> Objective:
    """NLL(y_w) − gamma · mean_t Σ_a π(a|s_t) A_t(a) on the student's samples, A = log teacher − log teacher_start."""
    advantage = TokenMean(f"advantage:{teacher}|{teacher_start}", "chosen", "Σ_a π·A", SAMPLES)
    term = Objective("adpa", ((-gamma, advantage),), reward=sum_logp()).on("samples")
    return (nll("mean") + term).named("adpa")


@objective(
    name="kl",
    slug="npo",
    paper=Paper("TOFU: A Task of Fictitious Unlearning for LLMs", 2024, "2401.06121"),
    summary="Keeps the next-token distributions on some answers where the reference has them.",
    use_when="As what is to be kept beside a forget term: [npo, {name: kl, part: retain}].",
    avoid_when="Alone, where nothing changes; or where memory is short: the reference stays in memory.",
    kind="unlearning",
)
def kl() -> Objective:
    """mean_t KL(ref ‖ π) over the tokens of the chosen answers."""
    term = TokenMean("kl:reference", "chosen", "KL_t", WITH_LIKED)
    return Objective("kl", ((1.0, term),), reward=log_ratio())
