"""MAH-DPO (2510.01167): one backbone, an output head for each aim, DPO for each on its own head.

The records teach the model's own head; each further aim is a part of the data with a head of its own. Every batch
holds as many pairs of every aim. At inference heads are mixed: ``truing mix RUN helpful=0.7 harmless=0.3``.
"""

from typing import Annotated

from pydantic import Field

from truing.errors import ObjectiveError
from truing.objectives.algebra import Logistic, Objective, log_ratio, pairwise
from truing.objectives.algebra.parts import OnHead
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import Doc
from truing.registry import Paper


@objective(
    name="mah-dpo",
    slug="mah-dpo",
    paper=Paper(
        "Simultaneous Multi-objective Alignment Across Verifiable and Non-verifiable Rewards", 2025, "2510.01167"
    ),
    summary="DPO for several aims at once, each on an output head of its own; heads are mixed at inference.",
    use_when="Aims conflict, and how they are weighed should be decided when the model is used.",
    avoid_when="There is one aim; or the vocabulary is large: each head is a matrix of vocabulary times width.",
)
def mah_dpo(
    aims: Annotated[
        list[str],
        Field(min_length=1),
        Doc(
            "the further aims; the pairs of each stand under data.parts",
            "len(aims) >= 1; without one, dpo is the same",
        ),
    ] = ["other"],  # noqa: B006 - never changed
    beta: Beta = 0.1,
) -> Objective:
    """Mean over aims of −log σ(beta (r_w − r_l)), r under the head of the aim."""
    for name in aims:
        if not name.isidentifier() or aims.count(name) > 1:
            raise ObjectiveError(f"aims holds {name!r}", allowed="different names of parts, e.g. [harmless]")
    one = pairwise(name="mah-dpo", score=log_ratio(), link=Logistic(beta))
    total = one
    for name in aims:
        terms = tuple((coefficient, OnHead(name, term)) for coefficient, term in one.terms)
        total = total + Objective("mah-dpo", terms, reward=log_ratio(), reward_scale=beta)
    return (1 / (1 + len(aims))) * total
