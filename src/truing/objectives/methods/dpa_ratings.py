"""DPA's reward model (2402.18571, section 3.1): one output a respect, by regression on ratings."""

from typing import Annotated

from pydantic import Field

from truing.errors import ObjectiveError
from truing.objectives.algebra import Objective
from truing.objectives.algebra.ratings import MeanRating, SquaredErrors
from truing.objectives.method import objective
from truing.parameters import Doc
from truing.registry import Paper


@objective(
    name="dpa-ratings",
    slug="dpa",
    paper=Paper(
        "Arithmetic Control of LLMs for Diverse User Preferences: Directional Preference Alignment with "
        "Multi-Objective Rewards",
        2024,
        "2402.18571",
    ),
    aliases=("multi-objective-ratings",),
    kind="reward model",
    summary="A reward model with one output for each respect that answers are rated in, by regression on the ratings.",
    use_when="Answers have ratings in several respects, and how these are weighed is decided later, e.g. by "
    "dpa-direction, a weighter or a constraint.",
    avoid_when="Only comparisons are known (bradley-terry), or ratings are heavy-tailed counts (optdist).",
)
def dpa_ratings(
    respects: Annotated[
        list[str],
        Field(min_length=1, max_length=64),
        Doc(
            "names of the ratings, in the order of the outputs",
            "1 <= len(respects) <= 64; `score` is the own score",
        ),
    ] = ["score"],  # noqa: B006 - never changed
    low: Annotated[
        float,
        Field(ge=-1000, lt=100, allow_inf_nan=False),
        Doc("the lowest rating, which becomes 0", "-1000 <= low < 100; it has to stay below the highest"),
    ] = 0.0,
    high: Annotated[
        float,
        Field(gt=0, le=1000, allow_inf_nan=False),
        Doc("the highest rating, which becomes 100", "0 < high <= 1000; it has to stay above the lowest"),
    ] = 100.0,
) -> Objective:
    """(R_j(y) − ρ_j)², mean over the respects that are known."""
    if len(set(respects)) < len(respects):
        raise ObjectiveError(f"a respect is named twice in {respects}", allowed="different names")
    if low >= high:
        raise ObjectiveError(f"ratings from {low:g} to {high:g} leave no room", allowed="low < high")
    term = SquaredErrors(tuple(respects), low, high)
    return Objective("dpa-ratings", ((1.0, term),), reward=MeanRating(len(respects)), reward_scale=100.0)
