"""ORPO (2403.07691, eq. 6): likelihood of the chosen answer plus a penalty on the odds ratio.

The odds use the *mean* log-probability, although the formula reads as the sequence probability. The paper's
lambda (0.1) is called beta in some codes. As in the paper, the likelihood is that of the answer; the authors'
code (unless told otherwise) and TRL learn the prompt too, and average tokens over the batch.
"""

from typing import Annotated

from truing.objectives.algebra import Likelihood, Logistic, LogOdds, Objective, Pairwise
from truing.objectives.method import objective
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="orpo",
    slug="baseline-reference-free",
    paper=Paper("ORPO: Monolithic Preference Optimization without Reference Model", 2024, "2403.07691"),
    summary="Supervised fine-tuning on the chosen answer with a mild push against the rejected one.",
    use_when="A base model is tuned in a single stage, without a reference model.",
    avoid_when="The model is already instruction-tuned and only the preference should change.",
)
def orpo(
    ratio_weight: Annotated[
        float,
        POSITIVE,
        Doc(
            "coefficient of the odds-ratio term (the paper's lambda)",
            "ratio_weight > 0; at 0 it is sft, below 0 the preference is reversed",
        ),
    ] = 0.1,
) -> Objective:
    """−log π(y_w)/|y_w| + lambda · (−log σ(log-odds(y_w) − log-odds(y_l)))."""
    compare = Pairwise(LogOdds(), Logistic())
    return Objective("orpo", ((1.0, Likelihood("mean")), (ratio_weight, compare)), reward=LogOdds())
