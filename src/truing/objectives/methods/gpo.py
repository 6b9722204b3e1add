"""GPO (2410.02197, section 5): regression of log-ratios on mean scores against the policy's own answers.

The paper's code regresses the best and the worst of five answers; here all that were drawn count, as in its equation.
The paper's beta of 0.001 moves answers by a thousand nats for a nat of score: choose a beta whose change you accept.
"""

from typing import Annotated

from truing.objectives.algebra import Objective
from truing.objectives.algebra.credits import GroupMean
from truing.objectives.algebra.games import ScoreRegression
from truing.objectives.method import objective
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="gpo",
    slug="gpm-gpo",
    paper=Paper(
        "Beyond Bradley-Terry Models: A General Preference Model for Language Model Alignment", 2024, "2410.02197"
    ),
    kind="online-training",
    summary="Moves every drawn answer by its mean score against the others over beta: a step of multiplicative "
    "weights.",
    use_when="A preference model compares answers (reward against-group), and its scores are on a scale that has a "
    "meaning.",
    avoid_when="Only wins are known: mnpo and inpo take best against worst.",
)
def gpo(
    beta: Annotated[
        float,
        POSITIVE,
        Doc(
            "nats of mean score for a nat of change: larger moves less",
            "beta > 0; at 0 the target is infinite, below 0 the preference is reversed",
        ),
    ] = 0.001,
) -> Objective:
    """mean_k (log π(y_k) − log π_t(y_k) − s̄_k/beta)²."""
    term = ScoreRegression(credit=GroupMean(), beta=beta)
    return Objective("gpo", ((1.0, term),), reward=None)
