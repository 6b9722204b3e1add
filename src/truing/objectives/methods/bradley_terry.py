"""A reward model under the Bradley–Terry model of preferences, with the usual refinements."""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Logistic, Objective, RecordMargin, pairwise
from truing.objectives.algebra.values import Centred, HeadValue
from truing.objectives.method import objective
from truing.objectives.parameters import Centre
from truing.parameters import Doc
from truing.registry import Paper


@objective(
    name="bradley-terry",
    slug="reward-ensemble",
    paper=Paper(
        "Helping or Herding? Reward Model Ensembles Mitigate but do not Eliminate Reward Hacking",
        2024,
        "2312.09244",
    ),
    aliases=("bt", "reward-model"),
    kind="reward model",
    summary="A reward model in which the difference of two answers' rewards is the log-odds of the preference.",
    use_when="A number for every answer is wanted: best-of-n, online training, filtering. The common choice.",
    avoid_when="Preferences are cyclic, or depend on who judges: gpm and pal can express that, this cannot.",
)
def bradley_terry(
    centre: Centre = 0.01,
    smoothing: Annotated[
        float,
        Field(ge=0, lt=0.5, allow_inf_nan=False),
        Doc("probability that a label is wrong", "0 <= smoothing < 0.5; at 0.5 nothing can be learned"),
    ] = 0.0,
    margin: Annotated[
        bool, Doc("whether a record's own `margin` is subtracted from the gap", "true or false")
    ] = False,
) -> Objective:
    """−log σ(R(y_w) − R(y_l)) + centre · (R(y_w) + R(y_l))²."""
    found = pairwise(
        name="bradley-terry",
        score=HeadValue(),
        link=Logistic(1.0),
        margin=RecordMargin() if margin else None,
    )
    if smoothing:
        found = found.smoothed(smoothing)
    return found + centre * Objective("centre", ((1.0, Centred(HeadValue())),)) if centre else found
