"""GPM (2410.02197): a preference model that can express cycles, at the cost of one embedding an answer."""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Logistic, Objective, pairwise
from truing.objectives.algebra.values import SkewValue
from truing.objectives.method import objective
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="gpm",
    slug="gpm-gpo",
    paper=Paper(
        "Beyond Bradley-Terry Models: A General Preference Model for Language Model Alignment", 2024, "2410.02197"
    ),
    kind="reward model",
    summary="Every answer gets an embedding; a skew-symmetric form of two is the log-odds of the preference.",
    use_when="Preferences are not one order: cycles among answers, or several judges with different tastes.",
    avoid_when="A number for an answer alone is needed: its score depends on what it is compared with.",
)
def gpm(
    width: Annotated[
        int,
        Field(ge=2, le=64, multiple_of=2),
        Doc(
            "outputs of the head, two for each plane", "2 <= width <= 64, even; with 2 one cycle can be expressed"
        ),
    ] = 6,
    tau: Annotated[
        float,
        POSITIVE,
        Doc(
            "temperature of the preference", "tau > 0; embeddings of length 1 need about 0.1 to express certainty"
        ),
    ] = 0.1,
    unit: Annotated[bool, Doc("whether embeddings are divided by their length", "true or false")] = True,
) -> Objective:
    """−log σ(s(y_w, y_l) / tau), s = Σ_l (v_2l u_2l+1 − v_2l+1 u_2l)."""
    return pairwise(name="gpm", score=SkewValue(width, unit), link=Logistic(1.0 / tau))
