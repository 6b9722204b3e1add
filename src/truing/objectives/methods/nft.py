"""NFT (2505.18116): supervised learning that learns from wrong answers too."""

from typing import Annotated, Literal

from pydantic import Field

from truing.objectives.algebra import Objective
from truing.objectives.algebra.sampled import NegativeAware
from truing.objectives.method import objective
from truing.parameters import Doc
from truing.registry import Paper


@objective(
    name="nft",
    slug="nft",
    paper=Paper("Bridging Supervised Learning and Reinforcement Learning in Math Reasoning", 2025, "2505.18116"),
    kind="online-training",
    summary="Likelihood of right answers, and of wrong ones under what right ones leave of the policy that drew both.",
    use_when="Answers can be checked, and steps are several for each drawing; on fresh answers it is grpo or dr-grpo.",
    avoid_when="Rewards are graded: it only knows right and wrong.",
)
def nft(
    prompt_weight: Annotated[
        Literal["one-minus-rate", "root"],
        Doc(
            "weight of a prompt by its share q of right answers: 1 − q, or sqrt((1 − q)/q)",
            "one-minus-rate or root",
        ),
    ] = "one-minus-rate",
    negatives: Annotated[
        float,
        Field(ge=0, le=1, allow_inf_nan=False),
        Doc("weight of wrong answers", "0 <= negatives <= 1; at 0 it is rejection sampling"),
    ] = 1.0,
    floor: Annotated[
        float,
        Field(gt=0, le=1, allow_inf_nan=False),
        Doc(
            "least value in the logarithm of wrong answers", "0 < floor <= 1; at 0 its gradient would be unbounded"
        ),
    ] = 1.0,
    threshold: Annotated[
        float,
        Field(gt=0, lt=1, allow_inf_nan=False),
        Doc("rewards above it are right", "0 < threshold < 1; between the two rewards of a checker"),
    ] = 0.5,
    tokens: Annotated[
        int, Field(ge=1), Doc("tokens that sums are divided by", "tokens >= 1; the longest answer is usual")
    ] = 64,
) -> Objective:
    """−mean_k Σ_t w(q)·[log ρ if right, log((1 − qρ)/(1 − q)) if wrong] / tokens."""
    term = NegativeAware("constant", tokens, threshold, prompt_weight, floor, negatives)
    return Objective("nft", ((1.0, term),), reward=None)
