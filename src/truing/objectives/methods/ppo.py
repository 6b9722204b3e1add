"""PPO (1707.06347) as language models are trained with it (2203.02155): actor, critic, and a divergence as cost."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from truing.objectives.algebra import Objective
from truing.objectives.algebra.actor_critic import ActorCritic
from truing.objectives.method import objective
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper

_UNIT = Field(ge=0, le=1, allow_inf_nan=False)


@objective(
    name="ppo",
    slug="ppo",
    paper=Paper("Proximal Policy Optimization Algorithms", 2017, "1707.06347"),
    kind="online-training",
    summary="A critic learns what to expect at every token; tokens that do better than expected become likelier.",
    use_when="Credit within an answer matters, or one answer a prompt is all that can be afforded.",
    avoid_when="Answers are short or several of them are cheap: rloo and grpo need no second model and fewer settings.",
)
def ppo(
    critic: Annotated[
        str,
        Field(min_length=1, pattern=r"^[^|]*$"),
        Doc(
            "what the critic is: policy (a copy of the starting model), head (on the policy's own states), or a model, "
            "e.g. the reward's",
            "len(critic) >= 1, without |; without a critic there is nothing to compare with, see rloo",
        ),
    ] = "policy",
    clip: Annotated[
        float,
        Field(gt=0, lt=1, allow_inf_nan=False),
        Doc("how far from 1 a ratio counts", "0 < clip < 1; at 0 nothing is learned"),
    ] = 0.2,
    value_clip: Annotated[
        float | None,
        Field(gt=0, allow_inf_nan=False),
        Doc(
            "how far a value may move from what it was when answers were drawn",
            "value_clip > 0, or null for any distance; at 0 the critic never learns",
        ),
    ] = 0.2,
    value_weight: Annotated[
        float,
        Field(gt=0, allow_inf_nan=False),
        Doc("coefficient of the critic's loss", "value_weight > 0; at 0 the critic never learns"),
    ] = 0.1,
    kl: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "coefficient of log π − log ref, which every token costs",
            "kl >= 0; at 0 only the reward counts, below 0 the policy would flee from the reference",
        ),
    ] = 0.05,
    kl_estimate: Annotated[
        Literal["k1", "k3"], Doc("of a token's divergence", "k1 (unbiased) or k3 (never negative)")
    ] = "k1",
    kl_target: Annotated[
        float | None,
        Field(gt=0, allow_inf_nan=False),
        Doc(
            "nats an answer that kl is adapted to keep",
            "kl_target > 0, or null to leave kl as it is; at 0 kl would only rise",
        ),
    ] = None,
    discount: Annotated[
        float,
        _UNIT,
        Doc("of rewards, a token", "0 <= discount <= 1; below 1 the first tokens of a long answer learn little"),
    ] = 1.0,
    trace: Annotated[
        float,
        _UNIT,
        Doc(
            "λ of generalised advantages",
            "0 <= trace <= 1; at 0 only the critic is trusted, at 1 only the rewards",
        ),
    ] = 0.95,
    whiten: Annotated[bool, Doc("advantages get mean 0 and variance 1", "true or false")] = True,
) -> Objective:
    """−mean_t min(ρÂ, clip(ρ)Â) + value_weight·½(V − Ĝ)², Â by generalised advantage estimation."""
    term = ActorCritic(
        averaging="tokens",
        critic=critic,
        clip=clip,
        value_clip=value_clip,
        value_weight=value_weight,
        kl=kl,
        estimate=kl_estimate,
        target=kl_target,
        discount=discount,
        trace=trace,
        whiten=whiten,
    )
    # Answers are rewarded by others: what became of their likelihood is no reward.
    return Objective("ppo", ((1.0, term),), reward=None)
