"""MNPO (2509.23102) and INPO (2407.00617): one regression, against a population or against the policy that drew.

Defaults are those of the code of MNPO: a target of 66.7 nats for summed log-ratios. Where answers are short, choose an
eta whose 1/(2 eta) is a change that you accept.
"""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Objective, Squared, log_ratio, pairwise
from truing.objectives.algebra.games import PopulationRatio
from truing.objectives.method import objective
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper

Eta = Annotated[
    float,
    POSITIVE,
    Doc(
        "step: answers move by the difference of their win rates over eta",
        "eta > 0; at 0 the target is infinite, below 0 the preference is reversed",
    ),
]


def _regression(name: str, share: float, eta: float) -> Objective:
    # Without a share of the reference nothing says what it finds of an answer.
    made = pairwise(name=name, score=PopulationRatio(share), link=Squared(1 / (2 * eta)), reward_scale=1.0)
    return Objective(name, made.terms, reward=log_ratio() if share > 0 else None)


@objective(
    name="mnpo",
    slug="mnpo",
    paper=Paper("Multiplayer Nash Preference Optimization", 2025, "2509.23102"),
    kind="online-training",
    summary="Regression towards a step of multiplicative weights from a mixture of reference and opponents.",
    use_when="Preferences have cycles or come from several judges; opponents are past policies or other models "
    "(`online.opponents`).",
    avoid_when="One reward orders all answers: dpo or rloo reach its optimum without a population.",
)
def mnpo(
    rho: Annotated[
        float,
        Field(ge=0, le=1, allow_inf_nan=False),
        Doc(
            "share of the reference in what the policy is compared with",
            "0 <= rho <= 1; at 1 it is ipo with tau = eta, at 0 nothing pulls to the reference and play may cycle",
        ),
    ] = 1 / 3,
    eta: Eta = 0.0075,
) -> Objective:
    """(h − 1/(2 eta))², h the difference of log π − rho·log ref − (1 − rho)·Σ_j λ_j log π_j between two answers."""
    return _regression("mnpo", rho, eta)


@objective(
    name="inpo",
    slug="mnpo",
    paper=Paper(
        "Iterative Nash Policy Optimization: Aligning LLMs with General Preferences via No-Regret Learning",
        2024,
        "2407.00617",
    ),
    kind="online-training",
    summary="Self-play: regression towards a step of multiplicative weights from the policy that drew the answers.",
    use_when="Preferences have cycles, and the policy as it was is opponent enough.",
    avoid_when="One reward orders all answers: dpo or rloo reach its optimum more directly.",
)
def inpo(
    rho: Annotated[
        float,
        Field(gt=0, le=1, allow_inf_nan=False),
        Doc(
            "share of the reference, tau/eta in the paper: the price of KL is tau = rho·eta",
            "0 < rho <= 1; at 1 it is ipo with tau = eta, at 0 nothing pulls to the reference and play may cycle",
        ),
    ] = 1 / 3,
    eta: Eta = 0.0075,
) -> Objective:
    """(h − 1/(2 eta))², h the difference of log π − rho·log ref − (1 − rho)·log π_t between two answers."""
    return _regression("inpo", rho, eta)
