"""Preference learning with rationales (2407.14477, eq. 5): the policy also learns to say why chosen is better.

``likelihood: logistic`` is the form of the authors' code, −log σ(gamma log π(rationale)): about gamma times the
negative log-likelihood where that is large, and log 2 for a certain rationale.
"""

from typing import Annotated, Literal

from truing.objectives.algebra import Absolute, Logistic, Objective, log_ratio, pairwise, sum_logp
from truing.objectives.method import objective
from truing.objectives.methods.sft import nll
from truing.objectives.parameters import Beta
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper

RATIONALE = "rationale"
"""Name of the part that holds the rationales."""


@objective(
    name="rationale-po",
    slug="rationale-po",
    paper=Paper("Data-Centric Human Preference Optimization with Rationales", 2024, "2407.14477"),
    summary="DPO, and beside it the policy learns to write why the chosen answer is better.",
    use_when="Pairs are few and carry explanations, or a good model can write them (truing data rationales). Any other "
    "base loss: "
    "[simpo, {name: nll, part: rationale, weight: 0.1}].",
    avoid_when="Explanations were written without looking at the answers: uninformative ones do not help.",
)
def rationale_po(
    beta: Beta = 0.1,
    gamma: Annotated[
        float,
        POSITIVE,
        Doc(
            "coefficient of the rationale's likelihood",
            "gamma > 0; at 0 it is dpo, below 0 rationales are unlearned",
        ),
    ] = 0.1,
    likelihood: Annotated[
        Literal["mean", "sum", "logistic"],
        Doc(
            "how the rationale's tokens are reduced",
            '"mean" or "sum" of the negative log-likelihood, or "logistic" as the authors\' code has it',
        ),
    ] = "mean",
) -> Objective:
    """−log σ(beta (r_w − r_l)) + gamma · (−log π(rationale)/|rationale|)."""
    base = pairwise(name="rationale-po", score=log_ratio(), link=Logistic(beta))
    if likelihood == "logistic":
        kinds = nll().data
        term = Absolute("chosen", sum_logp(), Logistic(gamma), +1, kinds=kinds)
        return base + Objective("rationale", ((1.0, term),), reward=sum_logp()).on(RATIONALE)
    return base + gamma * nll(likelihood).on(RATIONALE)
