"""CycleAlign (2310.16271): a judge and the model rank the model's answers; where both agree, the model learns.

Which ranking loss the paper takes is from memory: RRHF's is the default, and PRO's is there too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from truing.objectives.algebra import Objective, ReLU, mean_logp
from truing.objectives.algebra.agreed import AgreedLikelihood, AgreedOrder, AgreedRanking
from truing.objectives.method import objective
from truing.objectives.parameters import BestAnswerWeight
from truing.parameters import Doc
from truing.registry import Paper


@objective(
    name="cyclealign",
    slug="cyclealign",
    paper=Paper(
        "CycleAlign: Iterative Distillation from Black-box LLM to White-box Models for Better Human Alignment",
        2023,
        "2310.16271",
    ),
    kind="online-training",
    summary="Drawn answers are ranked by the run's reward and by the model's likelihood; the order on which both "
    "agree is learned, and shown to the judge.",
    use_when="A judge ranks better than the model and can be shown examples (reward llm-ranking); 4 to 6 answers a "
    "prompt. With online.steps_per_rollout several cycles are made with the same answers.",
    avoid_when="The model's likelihood says nothing of quality yet: agreement then is chance. Answers of very "
    "different length are compared by mean log-probability, which is kind to common phrases.",
)
def cyclealign(
    ranking: Annotated[
        Literal["pairs", "order"],
        Doc("loss of a ranking", "pairs (hinge on all pairs, as RRHF), or order (Plackett–Luce, as PRO)"),
    ] = "pairs",
    sft_weight: BestAnswerWeight = 1.0,
) -> Objective:
    """Σ over agreed pairs of max(0, s_i − s_k), plus the negative log-likelihood of the best answer; s = log π/|y|."""
    score = mean_logp()
    term = AgreedRanking(score, ReLU()) if ranking == "pairs" else AgreedOrder(score)
    best = Objective("cyclealign", ((1.0, AgreedLikelihood("mean")),), reward=score)
    compare = Objective("cyclealign", ((1.0, term),), reward=score)
    return compare if sft_weight == 0 else compare + sft_weight * best
