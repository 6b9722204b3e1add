"""One model that writes a critique and gives a score after it (MM-RLHF, 2502.10391, section 4)."""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Objective
from truing.objectives.algebra.critiques import CritiqueLikelihood
from truing.objectives.method import objective
from truing.objectives.methods.bradley_terry import bradley_terry
from truing.objectives.parameters import Centre
from truing.parameters import Doc
from truing.registry import Paper


@objective(
    name="critique-and-score",
    slug="mm-rlhf-critique-rm",
    paper=Paper("MM-RLHF: The Next Step Forward in Multimodal LLM Alignment", 2025, "2502.10391"),
    kind="reward model",
    summary="One model with two heads: it learns to write critiques of answers, and to score an answer that it reads "
    "together with its critique.",
    use_when="What is right takes a step to find out (counting, checking a claim), there are critiques of both answers "
    "of every pair, by people or by a strong model, and somebody wants to read why an answer scored as it did.",
    avoid_when="There are no critiques, or rewards must be cheap: a critique is written before every score.",
)
def critique_and_score(
    critic: Annotated[
        float,
        Field(gt=0, le=1000, allow_inf_nan=False),
        Doc("weight of the critiques' likelihood", "0 < critic <= 1000; without critiques use bradley-terry"),
    ] = 1.0,
    score: Annotated[
        float,
        Field(gt=0, le=1000, allow_inf_nan=False),
        Doc("weight of the comparison of scores", "0 < score <= 1000; for a critic alone use sft"),
    ] = 1.0,
    centre: Centre = 0.01,
) -> Objective:
    """Critic · −log p(c | x, y), a token, + score · (−log σ(R(y_w, c_w) − R(y_l, c_l)) + centre · (R_w + R_l)²)."""
    compared = bradley_terry(centre=centre)
    learned = Objective("critiques", ((1.0, CritiqueLikelihood()),), reward=None)
    return (score * compared + critic * learned).named("critique-and-score")
