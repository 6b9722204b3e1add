"""SCIR (2502.08922): a model's own verdicts made consistent, and learned from where they agree.

The exact form of the paper's penalty could not be looked up. The default is our reading of "consistency and
confidence": the Jensen–Shannon divergence of both verdicts, and the entropy of their mean.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from truing.objectives.algebra import Objective, log_ratio
from truing.objectives.algebra.internal import Agreed, Disagreement
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper


@objective(
    name="scir",
    slug="scir",
    paper=Paper(
        "Self-Consistency of the Internal Reward Models Improves Self-Rewarding Language Models",
        2025,
        "2502.08922",
    ),
    kind="online-training",
    aliases=("self-consistent-internal-rewards",),
    summary="A model judges its own answers in two ways, which are made to agree; it learns from the pairs on which "
    "they do.",
    use_when="There are prompts but no labels, and the model has learned both to prefer and to judge. The run's "
    "rewards train nothing: they say how right the verdicts are.",
    avoid_when="The model cannot judge yet: two judges can agree on what is wrong. The penalty is our reading of the "
    "paper, whose own could not be looked up.",
)
def scir(
    beta: Beta = 0.1,
    confidence: Annotated[
        float,
        Field(ge=0.5, lt=1, allow_inf_nan=False),
        Doc("probability that both verdicts must exceed", "0.5 <= confidence < 1; at 0.5 agreement is enough"),
    ] = 0.5,
    consistency: Annotated[
        float,
        NON_NEGATIVE,
        Doc("coefficient of the penalty", "consistency >= 0; 0 learns from agreed pairs alone"),
    ] = 1.0,
    penalty: Annotated[
        Literal["divergence", "exchange"],
        Doc(
            "what is paid for disagreement",
            "divergence (Jensen–Shannon and entropy), or exchange (each verdict labels the other)",
        ),
    ] = "divergence",
    entropy: Annotated[
        float, NON_NEGATIVE, Doc("coefficient of the mean verdict's entropy", "entropy >= 0; with divergence only")
    ] = 0.5,
) -> Objective:
    """−1[agreed] log σ(beta |r_w − r_l|) + consistency · (JS(v_I, v_J) + entropy · H(v̄))."""
    agreed = Objective("scir", ((1.0, Agreed(beta, confidence)),), reward=log_ratio(), reward_scale=beta)
    apart = Objective("scir", ((1.0, Disagreement(beta, confidence, penalty, entropy)),), reward=None)
    return agreed if consistency == 0 else agreed + consistency * apart
