"""Losses that move away from answers: gradient ascent, NPO (2404.05868) and SimNPO (2410.07163).

Each is a forget term. What is to be kept is a term of its own on the part ``retain``, so that every forget term
goes with every retain term: ``npo() + nll().on("retain")``.
"""

from typing import Annotated, Literal

from truing.objectives.algebra import (
    UNWANTED,
    Absolute,
    ConstantShift,
    Linear,
    Logistic,
    LogProb,
    NoShift,
    Objective,
    log_ratio,
    mean_logp,
)
from truing.objectives.method import objective
from truing.objectives.methods.sft import nll
from truing.objectives.parameters import Beta
from truing.parameters import NON_NEGATIVE, POSITIVE, Doc
from truing.registry import Paper

RETAIN = "retain"
"""Name of the part of the data whose knowledge is to be kept."""

NPO = Paper(
    "Negative Preference Optimization: From Catastrophic Collapse to Effective Unlearning", 2024, "2404.05868"
)
SIMNPO = Paper(
    "Simplicity Prevails: Rethinking Negative Preference Optimization for LLM Unlearning", 2024, "2410.07163"
)

Reduction = Annotated[
    Literal["sum", "mean"],
    Doc("how the tokens of an answer are reduced", '"sum" (nats an answer) or "mean" (nats a token)'),
]
RetainWeight = Annotated[
    float,
    POSITIVE,
    Doc(
        "coefficient of the likelihood of what is kept",
        "retain_weight > 0; at 0 it is ga, below 0 all is forgotten",
    ),
]


@objective(
    name="ga",
    slug="npo",
    paper=NPO,
    summary="Gradient ascent on the likelihood of what is to be forgotten; without bound.",
    use_when="As the baseline of a comparison, for a few steps.",
    avoid_when="Anything of the model is to survive: it collapses linearly in the number of steps.",
    aliases=("gradient-ascent",),
    kind="unlearning",
)
def ga(reduction: Reduction = "mean") -> Objective:
    """Log π(y_l), minimised."""
    return _forget("ga", LogProb(reduction), Linear())


@objective(
    name="graddiff",
    slug="npo",
    paper=Paper("TOFU: A Task of Fictitious Unlearning for LLMs", 2024, "2401.06121"),
    summary="Gradient ascent on what is to be forgotten, descent on what is to be kept.",
    use_when="As a baseline with retain data.",
    avoid_when="Long runs: the ascent still has no bound.",
    aliases=("gradient-difference",),
    kind="unlearning",
)
def graddiff(retain_weight: RetainWeight = 1.0, reduction: Reduction = "mean") -> Objective:
    """Log π(y_l) + retain_weight · (−log π(y)/|y| on the retain part)."""
    return ga(reduction) + retain_weight * nll("mean").on(RETAIN)


@objective(
    name="npo",
    slug="npo",
    paper=NPO,
    summary="Pushes unwanted answers down relative to the reference, with a force that fades once they are forgotten.",
    use_when="Answers are to be forgotten and the rest kept; best with [npo, {name: nll, part: retain}].",
    avoid_when="Good answers are at hand, too: then a pairwise objective says more.",
    kind="unlearning",
)
def npo(beta: Beta = 0.1) -> Objective:
    """(2/beta) log(1 + (π(y_l)/ref(y_l))^beta), equation 3."""
    return _forget("npo", log_ratio(), Logistic(beta), scale=2 / beta, reward_scale=beta)


@objective(
    name="simnpo",
    slug="npo",
    paper=SIMNPO,
    summary="NPO without a reference, on the mean log-probability, so that short answers are forgotten as well.",
    use_when="Lengths of what is to be forgotten vary much, or a reference is too expensive.",
    avoid_when="The model must stay close to where it started.",
    kind="unlearning",
)
def simnpo(
    beta: Annotated[
        float,
        POSITIVE,
        Doc(
            "sharpness of the fading, per nat a token",
            "beta > 0; towards 0 it is ga, below 0 nothing is forgotten",
        ),
    ] = 2.5,
    gamma: Annotated[
        float,
        NON_NEGATIVE,
        Doc("how far below 1 the probability must fall before the force fades", "gamma >= 0; 0 to 2 is usual"),
    ] = 0.0,
) -> Objective:
    """−(2/beta) log σ(−(beta/|y_l|) log π(y_l) − gamma), equation 4."""
    shift = ConstantShift(-gamma / beta) if gamma else NoShift()
    return _forget("simnpo", mean_logp(), Logistic(beta), shift=shift, scale=2 / beta, reward_scale=beta)


def _forget(
    name: str,
    score: LogProb,
    link: Linear | Logistic,
    *,
    shift: ConstantShift | NoShift | None = None,
    scale: float = 1.0,
    reward_scale: float = 1.0,
) -> Objective:
    term = Absolute("rejected", score, link, -1, scale, shift or NoShift(), UNWANTED)
    return Objective(name, ((1.0, term),), reward=score, reward_scale=reward_scale)
