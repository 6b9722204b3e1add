"""PoFT (2412.12865, eq. 6): Bradley–Terry between models on one and the same answer.

The gradient is that of supervised fine-tuning times σ(beta (s̄ − s)): answers that aligned models find unlikely count
less. With very confident other models the factor goes to 1, and it is plain fine-tuning.
"""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Absolute, Logistic, Objective, OtherModels, mean_logp
from truing.objectives.method import objective
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="poft",
    slug="poft",
    paper=Paper(
        "Preference-Oriented Supervised Fine-Tuning: Favoring Target Model Over Aligned LLMs", 2024, "2412.12865"
    ),
    summary="Fine-tuning that wants every answer likelier than aligned models find it; bad data count less.",
    use_when="Demonstrations are of mixed quality, and one or more aligned models of the same language are at hand.",
    avoid_when="No aligned model knows the domain: then good answers would be taken for bad ones.",
)
def poft(
    models: Annotated[
        list[str],
        Field(min_length=1),
        Doc(
            "aligned models to compare with: hub names or folders",
            "len(models) >= 1; without another model there is nothing to compare with",
        ),
    ] = ["truing/tiny"],  # noqa: B006 - never changed; a default that is at hand offline
    beta: Annotated[
        float,
        POSITIVE,
        Doc("sharpness of the comparison; the paper has 1", "beta > 0; at 0 nothing is learned"),
    ] = 1.0,
) -> Objective:
    """−log σ(beta (log π(y)/|y| − s̄)), s̄ the mean of the other models' own."""
    others = OtherModels(tuple(models))
    term = Absolute(
        "chosen", mean_logp(), Logistic(beta), +1, kinds=frozenset({"demonstrations"}), baseline=others
    )
    return Objective("poft", ((1.0, term),), reward=mean_logp(), reward_scale=beta)
