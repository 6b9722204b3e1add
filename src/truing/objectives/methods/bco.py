"""BCO (2404.04656, eq. 9–10): an unpaired classifier whose logit is the implicit reward minus a running shift.

The shift is the midpoint between the mean rewards of the two classes seen so far, updated before the loss is
formed, in training only, over the whole global batch; it starts to act once both classes were seen. The BCO
trainer that TRL once had pooled both classes into one mean, which is the same for balanced data only.
Matching the prompt distributions of the two classes (the paper's second device) is the modifier ``match-prompts``.
"""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import UNPAIRED, Absolute, Logistic, Objective, RunningMean, log_ratio
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import Doc
from truing.registry import Paper


@objective(
    name="bco",
    slug="bco",
    paper=Paper("Binary Classifier Optimization for Large Language Model Alignment", 2024, "2404.04656"),
    summary="Fits a classifier to thumbs-up / thumbs-down data: an upper bound of DPO that a shift tightens.",
    use_when="Feedback is unpaired and absolute.",
    avoid_when="Prompts of the two classes differ in topic: the classifier then learns topics, unless match-prompts "
    "weights them.",
)
def bco(
    beta: Beta = 0.1,
    momentum: Annotated[
        float | None,
        Field(ge=0, lt=1, allow_inf_nan=False),
        Doc(
            "weight of the past in the running shift; none averages all rewards seen",
            "0 <= momentum < 1, or none; at 1 the shift would never move",
        ),
    ] = None,
) -> Objective:
    """−log σ(beta (r − δ)) for desirable, −log σ(−beta (r − δ)) for undesirable."""
    link, score, shift = Logistic(beta), log_ratio(), RunningMean(momentum)
    terms = (
        (1.0, Absolute("chosen", score, link, +1, shift=shift, kinds=UNPAIRED)),
        (1.0, Absolute("rejected", score, link, -1, shift=shift, kinds=UNPAIRED)),
    )
    return Objective("bco", terms, reward=score, reward_scale=beta)
