"""OptDist (2408.08585): several zero-inflated log-normal heads compete, and a selector picks one for each record.

The scores of ranked answers are the values. The paper picks with Gumbel noise; where training goes through a reward
model no noise is added, on tables it is (:mod:`truing.rewards.distributional.tables`).
"""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Objective
from truing.objectives.algebra.zero_inflated import LogExpectedValue, OptimalDistribution
from truing.objectives.method import objective
from truing.parameters import NON_NEGATIVE, POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="optdist",
    slug="optdist",
    paper=Paper(
        "OptDist: Learning Optimal Distribution for Customer Lifetime Value Prediction", 2024, "2408.08585"
    ),
    aliases=("ziln",),
    kind="reward model",
    summary="A distribution of values that are mostly zero with a heavy tail: several heads, and a selector of one.",
    use_when="Scores are counts or amounts that are never negative, often zero and sometimes huge, of several kinds of "
    "records: purchases, visits, votes.",
    avoid_when="Scores are ratings on a short scale (dpa-ratings), or only their order means anything (bradley-terry). "
    "A score below zero counts as none.",
)
def optdist(
    heads: Annotated[
        int, Field(ge=1, le=16), Doc("number of distributions", "1 <= heads <= 16; with 1 it is ZILN")
    ] = 3,
    alignment: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "weight of teaching the selector which head was best",
            "alignment >= 0; of a record without a value the best head is the one that expects fewest, whatever its "
            "kind, so that large weights mislead",
        ),
    ] = 0.1,
    occurrence: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "weight of the cross-entropy of whether there is a value", "occurrence >= 0; at 0 heads alone learn it"
        ),
    ] = 0.1,
    start: Annotated[
        float,
        POSITIVE,
        Doc("temperature of the choice at the start", "start > 0; near 0 the first choice is final"),
    ] = 2.0,
    end: Annotated[
        float,
        POSITIVE,
        Doc("temperature that it falls to", "end > 0; far above 0 heads stay mixed, and inference picks one"),
    ] = 0.2,
    steps: Annotated[
        float, POSITIVE, Doc("steps in which it falls to 1/e", "steps > 0; a few harden it before heads differ")
    ] = 100.0,
) -> Objective:
    """Σ_k u_k Z_k(v) + occurrence · O(v) + alignment · A(v)."""
    term = OptimalDistribution(heads, alignment, occurrence, start, end, steps)
    return Objective("optdist", ((1.0, term),), reward=LogExpectedValue(heads))
