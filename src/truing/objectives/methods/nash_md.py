"""Nash-MD (2312.00886): policy gradient against a geometric mixture of the policy and the reference.

The paper draws the opponent's answers token by token from a mixture of both models' logits. Here they are the policy's
own answers, weighted, which needs no second sampler and is exact for whole answers.
"""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Objective
from truing.objectives.algebra.games import AgainstMixture
from truing.objectives.method import objective
from truing.objectives.methods.policy_gradient import High, Low
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper


@objective(
    name="nash-md",
    slug="mnpo",
    paper=Paper("Nash Learning from Human Feedback", 2023, "2312.00886"),
    kind="online-training",
    summary="Policy gradient on the win rate against a mixture of the policy and the reference, with a KL penalty.",
    use_when="Preferences have cycles, and an unbiased gradient of the win rate is wanted.",
    avoid_when="Few answers a prompt can be drawn: they are opponents of each other, and estimates are noisy.",
)
def nash_md(
    mixture: Annotated[
        float,
        Field(ge=0, le=1, allow_inf_nan=False),
        Doc(
            "share of the reference in the opponent",
            "0 <= mixture <= 1; at 0 it is self-play, at 1 the opponent is the reference",
        ),
    ] = 0.125,
    kl: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "coefficient of log π − log ref, which is subtracted from the win rate",
            "kl >= 0; at 0 only wins count, below 0 the policy would flee from the reference",
        ),
    ] = 0.008,
    low: Low = 0.2,
    high: High = 0.2,
) -> Objective:
    """−mean_k clip(ρ_k)·mean_j (ref/π)^mixture·(P(y_k ≻ y_j) − ½ − kl·(log π − log ref))."""
    term = AgainstMixture(mixture=mixture, kl=kl, low=low, high=high)
    return Objective("nash-md", ((1.0, term),), reward=None)
