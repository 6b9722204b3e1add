"""Policy gradients without a critic: one term in six settings of credit, ratio, clipping and averaging."""

from typing import Annotated, Literal

from pydantic import Field

from truing.objectives.algebra import Objective
from truing.objectives.algebra.credits import BatchZScore, GroupMean, GroupZScore, LeaveOneOut
from truing.objectives.algebra.sampled import PolicyGradient
from truing.objectives.method import objective
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper

_SLUG = "rloo-reinforcepp-grpo-dapo"
_KIND = "online-training"

Low = Annotated[
    float,
    Field(gt=0, lt=1, allow_inf_nan=False),
    Doc("how far below 1 a ratio counts", "0 < low < 1; at 0 nothing but the first step counts, at 1 all do"),
]
High = Annotated[
    float,
    Field(gt=0, allow_inf_nan=False),
    Doc("how far above 1 a ratio counts", "high > 0; at 0 nothing but the first step counts"),
]
KL = Annotated[
    float,
    NON_NEGATIVE,
    Doc(
        "coefficient of the KL divergence from the reference",
        "kl >= 0; at 0 there is no reference and no pull to it, below 0 the policy would flee from it",
    ),
]


def _made(name: str, term: PolicyGradient) -> Objective:
    # Answers are rewarded by others: what became of their likelihood is no reward.
    return Objective(name, ((1.0, term),), reward=None)


@objective(
    name="grpo",
    slug=_SLUG,
    paper=Paper(
        "DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models", 2024, "2402.03300"
    ),
    kind=_KIND,
    summary="Answers of one prompt are compared with each other, in units of their standard deviation.",
    use_when="Rewards can be computed (a checker, a reward model), and several answers a prompt are affordable.",
    avoid_when="Answers differ much in length: long wrong ones are punished less for each token; see dr-grpo and dapo.",
)
def grpo(low: Low = 0.2, high: High = 0.2, kl: KL = 0.04) -> Objective:
    """−mean_k mean_t min(ρA, clip(ρ)A) + kl·KL3, A = (R − mean)/std of the prompt's answers."""
    term = PolicyGradient(averaging="answer", credit=GroupZScore(), low=low, high=high, kl=kl)
    return _made("grpo", term)


@objective(
    name="dr-grpo",
    slug=_SLUG,
    paper=Paper("Understanding R1-Zero-Like Training: A Critical Perspective", 2025, "2503.20783"),
    kind=_KIND,
    summary="GRPO without the two divisions that bias it: by an answer's length, and by the spread of rewards.",
    use_when="GRPO's answers grow longer without growing better, or easy and hard prompts should count alike.",
    avoid_when="Rewards of different prompts are on different scales, which the spread would have evened out.",
)
def dr_grpo(
    low: Low = 0.2,
    high: High = 0.2,
    tokens: Annotated[
        int, Field(ge=1), Doc("tokens that sums are divided by", "tokens >= 1; the longest answer is usual")
    ] = 64,
) -> Objective:
    """−mean_k Σ_t min(ρA, clip(ρ)A) / tokens, A = R − mean of the prompt's answers."""
    term = PolicyGradient(averaging="constant", constant=tokens, credit=GroupMean(), low=low, high=high)
    return _made("dr-grpo", term)


@objective(
    name="dapo",
    slug=_SLUG,
    paper=Paper("DAPO: An Open-Source LLM Reinforcement Learning System at Scale", 2025, "2503.14476"),
    kind=_KIND,
    summary="GRPO with a wider clip above than below, every token of the batch counting alike, and no KL divergence.",
    use_when="Exploration dies early under GRPO: unlikely tokens may rise further than they may fall.",
    avoid_when="The policy must stay close to the reference: nothing pulls it back.",
)
def dapo(low: Low = 0.2, high: High = 0.28) -> Objective:
    """−mean over all tokens of min(ρA, clip(ρ)A), A = (R − mean)/std of the prompt's answers."""
    return _made("dapo", PolicyGradient(averaging="tokens", credit=GroupZScore(), low=low, high=high))


@objective(
    name="gspo",
    slug=_SLUG,
    paper=Paper("Group Sequence Policy Optimization", 2025, "2507.18071"),
    kind=_KIND,
    summary="GRPO with one ratio for each answer, the geometric mean of its tokens', so that clipping is by answers.",
    use_when="Several steps are made with the same answers, or ratios of single tokens are noisy (experts).",
    avoid_when="Every step draws its own answers: the ratio is 1 and it is grpo without the KL divergence.",
)
def gspo(low: Low = 3e-4, high: High = 4e-4) -> Objective:
    """−mean_k min(ρ_k^(1/|y|) A, clip(...) A), A = (R − mean)/std of the prompt's answers."""
    term = PolicyGradient(averaging="answer", level="answer-mean", credit=GroupZScore(), low=low, high=high)
    return _made("gspo", term)


@objective(
    name="rloo",
    slug=_SLUG,
    paper=Paper(
        "Back to Basics: Revisiting REINFORCE Style Optimization for Learning from Human Feedback in LLMs",
        2024,
        "2402.14740",
    ),
    kind=_KIND,
    summary="REINFORCE on whole answers; each one's baseline is the mean reward of the prompt's other answers.",
    use_when="An unbiased gradient is wanted, with the KL divergence as part of the reward.",
    avoid_when="Only one answer a prompt can be drawn: there is no other to compare it with.",
)
def rloo(
    kl: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "coefficient of log π − log ref, which is subtracted from the reward",
            "kl >= 0; at 0 only the reward counts, below 0 the policy would flee from the reference",
        ),
    ] = 0.05,
    low: Low = 0.2,
    high: High = 0.2,
) -> Objective:
    """−mean_k min(ρ_k A, clip(ρ_k) A), A = R' − mean of the others' R', R' = R − kl·(log π − log ref)."""
    term = PolicyGradient(averaging="sum", level="answer", credit=LeaveOneOut(), low=low, high=high, penalty=kl)
    return _made("rloo", term)


@objective(
    name="reinforce-plus-plus",
    slug=_SLUG,
    paper=Paper(
        "REINFORCE++: An Efficient RLHF Algorithm with Robustness to Both Prompt and Reward Models",
        2025,
        "2501.03262",
    ),
    aliases=("reinforce++",),
    kind=_KIND,
    summary="REINFORCE with clipping and rewards on one scale over the whole batch: one answer a prompt will do.",
    use_when="Many prompts with an answer or two each are better than few with many.",
    avoid_when="Prompts differ much in how high their rewards are: easy ones then look good whatever is answered.",
)
def reinforce_plus_plus(
    low: Low = 0.2,
    high: High = 0.2,
    kl: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "coefficient of log π − log ref, which is subtracted from the reward",
            "kl >= 0; at 0 only the reward counts",
        ),
    ] = 0.01,
    averaging: Annotated[
        Literal["answer", "tokens"], Doc("how tokens are averaged", "answer or tokens")
    ] = "answer",
) -> Objective:
    """−mean_k mean_t min(ρA, clip(ρ)A), A = (R' − mean)/std over the global batch."""
    term = PolicyGradient(averaging=averaging, credit=BatchZScore(), low=low, high=high, penalty=kl)
    return _made("reinforce-plus-plus", term)
