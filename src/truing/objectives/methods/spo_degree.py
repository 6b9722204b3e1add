"""SPO (2409.17791): besides telling which answer is better, the policy learns to tell how much is left to like of it.

A small classifier on the policy's mean state over a graded answer is trained along and thrown away; its gradient
flows into the policy.
"""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Logistic, Objective, log_ratio, pairwise
from truing.objectives.algebra.distributional import TokenMean
from truing.objectives.algebra.scores import SAMPLES
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="spo-degree",
    slug="spo-degree",
    paper=Paper(
        "Self-supervised Preference Optimization: Enhance Your Language Model with Preference Degree Awareness",
        2024,
        "2409.17791",
    ),
    summary="DPO, and the policy's states learn how much of an answer's key content is there.",
    use_when="Pairs say only which answer is better, and how much better matters.",
    avoid_when="Answers are a few words, without key phrases to remove; each pair costs two answers a grade.",
)
def spo_degree(
    beta: Beta = 0.1,
    gamma: Annotated[
        float,
        POSITIVE,
        Doc(
            "coefficient of the classifier's loss", "gamma > 0; at 0 it is dpo, below 0 grades would be forgotten"
        ),
    ] = 0.1,
    grades: Annotated[
        int,
        Field(ge=2, le=5),
        Doc(
            "grades of each answer",
            "2 <= grades <= 5; with 1 there is nothing to tell apart, with more the steps get too small",
        ),
    ] = 3,
) -> Objective:
    """−log σ(beta (r_w − r_l)) + gamma · cross-entropy of the grade, for chosen and rejected answers."""
    total = pairwise(name="spo-degree", score=log_ratio(), link=Logistic(beta))
    for side in ("chosen", "rejected"):
        part = f"graded_{side}_{grades}"
        # Every token of an answer carries the answer's cross-entropy; their mean is it.
        term = TokenMean(f"degree:{part}", "chosen", "CE", SAMPLES)
        total = total + gamma * Objective("degree", ((1.0, term),)).on(part)
    return total
