"""The log-sigmoid-centred transform (2402.00742): from a reward to the log-probability that the answer is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field
from torch.nn.functional import logsigmoid

from truing.parameters import Doc
from truing.registry import Paper
from truing.rewards.algebra import Context, Rewards
from truing.rewards.method import reward_transform
from truing.rewards.transforms.centre import Centred

PAPER = Paper("Transforming and Combining Rewards for Aligning Large Language Models", 2024, "2402.00742")

Quantile = Annotated[
    float,
    Field(ge=0, le=1, allow_inf_nan=False),
    Doc(
        "quantile of the reference's scores on the prompt that counts as good with probability one half",
        "0 <= quantile <= 1; the higher, the longer every answer is pushed",
    ),
]


@dataclass(frozen=True)
class LogSigmoidCentred:
    """log σ(R − R_ref(x)), in nats.

    Args:
        quantile: R_ref(x) among the prompt's reference samples.
    """

    quantile: float
    needs_reference: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        centred = Centred(self.quantile)(rewards, context)
        return centred.with_values(logsigmoid(centred.values))


@reward_transform(
    name="lsc-transform",
    slug="lsc-transform",
    paper=PAPER,
    summary="Turns a Bradley–Terry reward into the log-probability that the answer beats a reference level of its "
    "prompt, so that effort goes to answers that are still poor.",
    formula="u = log σ(R − R_ref(x))",
    legend=(
        "R: reward of a Bradley–Terry model, known up to a constant for each prompt",
        "R_ref(x): a quantile of the rewards of the reference policy's answers to the prompt",
    ),
    use_when="The reward was trained on pairs, and one of: several rewards are to hold at once (sum them after this "
    "transform), some prompts lag behind, or high rewards are not to be trusted.",
    avoid_when="Rewards are verified or bounded (0 or 1), where there is no excess to damp; or the differences among "
    "answers that are already good matter.",
    requires=("rewards", "reference samples"),
    cost="about 64 samples of the reference policy for each prompt, once, and their rewards",
    aliases=("lsc",),
)
def lsc_transform(quantile: Quantile = 0.85) -> LogSigmoidCentred:
    """Log σ(R − R_ref(x)): 2402.00742, section 3."""
    return LogSigmoidCentred(quantile)
