"""Controlled decoding (2310.17022): tokens are weighed by what answers are worth that the model ends from there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from truing.decoding.args import Width
from truing.decoding.guided import Guided
from truing.decoding.method import decoder
from truing.decoding.values import Mean, OfContinuations, Soft
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper

Beta = Annotated[float, POSITIVE, Doc("β, how far the answers may move: the tilt is π e^(r/β)", "beta > 0")]
Rollouts = Annotated[int, Field(gt=0, le=10_000), Doc("continuations that are drawn for each token", "at least 1")]
Ahead = Annotated[
    int | None, Field(gt=0), Doc("tokens that a continuation may have", "at least 1; None goes on to the end")
]
ValueOf = Annotated[
    Literal["mean", "soft"],
    Doc("value of a token: the mean reward of what follows, or β log E[e^(r/β)]", "mean or soft"),
]


@decoder(
    name="controlled-decoding",
    slug="controlled-decoding",
    paper=Paper("Controlled Decoding from Language Models", 2023, "2310.17022"),
    summary="Weighs each of the likeliest next tokens by the reward of answers that the model itself ends from there.",
    formula="π(z | s) ∝ π_ref(z | s) e^(V(s, z)/β);  mean: V = E[r | s, z];  soft: V = β log E[e^(r/β) | s, z]",
    legend=(
        "V: estimated by m answers that the model itself ends",
        "β: small ones move far from the model",
        "soft: with it the tokens follow the tilt π_ref e^(r/β) of whole answers exactly, as m grows",
    ),
    use_when="The reward judges whole answers, and many short continuations can be paid for: answers are short.",
    avoid_when="Answers are long: the cost grows with their square. Use best-of-n or qalign.",
    requires=("a reward",),
    cost="for every token of the answer k·m continuations and rewards; what stands before is not run again",
    aliases=("cd",),
)
def controlled_decoding(
    beta: Beta = 1.0, k: Width = 20, m: Rollouts = 4, value: ValueOf = "soft", ahead: Ahead = None
) -> Guided:
    """Guided by the value of the model's own continuations."""
    return Guided(OfContinuations(m, Soft(beta) if value == "soft" else Mean(), ahead), k, 1 / beta)
