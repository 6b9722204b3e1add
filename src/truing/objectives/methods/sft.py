"""Supervised fine-tuning, and the likelihood term that is added to preference losses.

``reduction`` is explicit because most published disagreements on coefficients come from it: RPO (2405.16436)
uses a sum with eta 0.005, TRL's combination a mean over all tokens of the batch.
"""

from typing import Annotated, Literal

from truing.objectives.algebra import Likelihood, Objective, sum_logp
from truing.objectives.method import objective
from truing.parameters import Doc
from truing.registry import Paper

PAPER = Paper("Training language models to follow instructions with human feedback", 2022, "2203.02155")


@objective(
    name="sft",
    slug="baseline-reference-free",
    paper=PAPER,
    summary="Maximises the likelihood of demonstrations (or of chosen answers), averaged over tokens.",
    use_when="The model cannot yet write answers of the wanted kind.",
    avoid_when="Only the choice between answers that the model writes already should change.",
)
def sft() -> Objective:
    """−Σ log π(y) / Σ |y|, over all completion tokens of the batch."""
    return Objective("sft", ((1.0, Likelihood("tokens")),), reward=sum_logp())


@objective(
    name="nll",
    slug="baseline-reference-free",
    paper=PAPER,
    summary="Negative log-likelihood of the chosen answer, as a regulariser of a preference loss.",
    use_when="Added to a pairwise loss with a small weight to keep the chosen likelihood up.",
    avoid_when="Alone: then it is sft with another reduction.",
)
def nll(
    reduction: Annotated[
        Literal["sum", "mean", "tokens"],
        Doc(
            "how the tokens of a completion are reduced",
            '"sum", "mean" (per answer) or "tokens" (per batch); nothing else is defined',
        ),
    ] = "mean",
) -> Objective:
    """−log π(y_w), summed or averaged over tokens."""
    return Objective("nll", ((1.0, Likelihood(reduction)),), reward=sum_logp())


def with_likelihood(
    objective: Objective, weight: float, reduction: Literal["sum", "mean", "tokens"] = "mean"
) -> Objective:
    """``objective + weight · nll(reduction)``; the objective itself where the weight is 0."""
    return objective if weight == 0 else objective + weight * nll(reduction)
