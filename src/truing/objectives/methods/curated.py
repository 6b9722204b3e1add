"""Training on what users keep of the model's own samples, round by round (2407.09499), with real data or without."""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Likelihood, Objective
from truing.objectives.algebra.logged import REAL, KeptLikelihood
from truing.objectives.algebra.parts import OnPart
from truing.objectives.method import objective
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="curated",
    slug="self-consuming-curation",
    paper=Paper(
        "Self-Consuming Generative Models with Curated Data Provably Optimize Human Preferences",
        2024,
        "2407.09499",
    ),
    aliases=("luce-raft",),
    kind="online-training",
    summary="Imitates drawn answers in proportion to e^reward, as users would keep them, and real answers beside them.",
    use_when="A loop of generation, choice and training is to be studied, or raft's argmax is too sharp.",
    avoid_when="Without real data, where variety matters: rewards rise until the best answers alone are left.",
)
def curated(
    real: Annotated[
        float,
        Field(ge=0, lt=1, allow_inf_nan=False),
        Doc(
            "share of the records' own answers in what is imitated, 1/(1 + λ)",
            "0 <= real < 1; at 0 there is no real data, at 1 it would be sft",
        ),
    ] = 0.0,
    temperature: Annotated[
        float, POSITIVE, Doc("of the choice: rewards are divided by it", "temperature > 0; towards 0 it is raft")
    ] = 1.0,
) -> Objective:
    """−(1 − real)·Σ_k softmax_k(reward/temperature)·log π(y_k) − real·log π(y_real)."""
    kept = KeptLikelihood(temperature=temperature)
    if real == 0:
        return Objective("curated", ((1.0, kept),), reward=None)
    return Objective("curated", ((1 - real, kept), (real, OnPart(REAL, Likelihood("sum")))), reward=None)
