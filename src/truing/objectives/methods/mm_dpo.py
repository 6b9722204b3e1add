"""MM-DPO (2502.10391): a beta for every pair, which grows with the margin that a reward model gives it.

beta(margin) = beta (1 + w (1 − e^(−k margin))) lies in [beta, (1 + w) beta] for margins >= 0. A negative margin (the
reward model disagrees with the label) gives less than beta, and is held at 0.001 from below. Where labels are
smoothed or de-biased, the exchanged pair has the opposite margin. The default k is not stated with the released
code; beta, w and gamma are those of its launch script.

The released trainer has a later variant without reward model (``margin_source="policy-batch"``): one beta for the
batch, from the policy's own gaps. Its label smoothing has its two terms exchanged, which is not imitated here.
"""

from typing import Annotated, Literal

from truing.errors import ObjectiveError
from truing.objectives.algebra import (
    BatchBeta,
    Logistic,
    MarginBeta,
    Objective,
    PairScale,
    Pairwise,
    log_ratio,
)
from truing.objectives.method import objective
from truing.objectives.methods.sft import with_likelihood
from truing.objectives.parameters import Beta
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper

Source = Literal["column", "policy-batch"]


@objective(
    name="mm-dpo",
    slug="mm-dpo",
    paper=Paper("MM-RLHF: The Next Step Forward in Multimodal LLM Alignment", 2025, "2502.10391"),
    summary="DPO whose beta grows with the record's margin, plus a little imitation of the chosen answer.",
    use_when="A reliable reward model has scored both answers, and clear pairs deserve more trust than close ones.",
    avoid_when="Margins are noise: then pairs are trusted at random.",
)
def mm_dpo(
    beta: Beta = 0.1,
    growth: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "largest relative growth of beta (the paper's w); with policy-batch, per nat of the batch's gaps",
            "growth >= 0; 0 keeps beta constant, below 0 clear pairs would count less",
        ),
    ] = 0.1,
    rate: Annotated[
        float | None,
        NON_NEGATIVE,
        Doc(
            "how fast it grows, per unit of the margin column (the paper's k), 0.5 if left out",
            "rate >= 0; 0 keeps beta constant, below 0 clear pairs would count less",
        ),
    ] = None,
    gamma: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "coefficient of the mean log-likelihood of the chosen answer",
            "gamma >= 0; 0 leaves it out, below 0 the chosen answer would be unlearned",
        ),
    ] = 0.25,
    margin_source: Annotated[
        Source,
        Doc(
            "where margins come from: the records' margin column, or the policy's own gaps over a batch",
            '"column" or "policy-batch"; nothing else is defined',
        ),
    ] = "column",
) -> Objective:
    """−log σ(beta(margin) (r_w − r_l)) + gamma (−log π(y_w)/|y_w|)."""
    score, scale = log_ratio(), _scale(beta, growth, rate, margin_source)
    terms = ((1.0, Pairwise(score, Logistic(), scale=scale)),)
    return with_likelihood(Objective("mm-dpo", terms, reward=score, reward_scale=beta), gamma)


def _scale(beta: float, growth: float, rate: float | None, source: Source) -> PairScale:
    if source == "column":
        return MarginBeta(beta, growth, 0.5 if rate is None else rate)
    if rate is not None:
        raise ObjectiveError(
            f"rate = {rate} would have no effect with margin_source {source!r}",
            fix='set margin_source to "column", or remove rate',
        )
    return BatchBeta(beta, growth)
