"""Controlled decoding (2310.17022): tokens, or blocks of them, are weighed by what answers are worth from there on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, InstanceOf

from truing.decoding.blocks import Blockwise
from truing.decoding.guided import Guided
from truing.decoding.method import decoder
from truing.decoding.prefix.scorer import OfPrefixes, PrefixScorer
from truing.decoding.values import Mean, OfContinuations, Soft
from truing.decoding.weighing import TokenValue
from truing.errors import RecipeError
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper

_BETA, _ROLLOUTS = 1.0, 4

Beta = Annotated[float, POSITIVE, Doc("β, how far the answers may move: the tilt is π e^(r/β)", "beta > 0")]
Rollouts = Annotated[int, Field(gt=0, le=10_000), Doc("continuations that are drawn for each value", "at least 1")]
Ahead = Annotated[
    int | None, Field(gt=0), Doc("tokens that a continuation may have", "at least 1; None goes on to the end")
]
ValueOf = Annotated[
    str | InstanceOf[PrefixScorer],
    Doc(
        "value of an unfinished answer: the mean reward of what follows, β log E[e^(r/β)], or what a scorer learned",
        "mean, soft, or a folder that `truing reward prefix` wrote",
    ),
]
Choices = Annotated[
    int,
    Field(gt=0, le=1000),
    Doc("likeliest tokens that are weighed, or blocks that are drawn", "1 to 1000; 1 is the model"),
]
Block = Annotated[
    int | None,
    Field(gt=0),
    Doc("tokens of a block; the best of k blocks goes on", "at least 1; None weighs single tokens"),
]


@decoder(
    name="controlled-decoding",
    slug="controlled-decoding",
    paper=Paper("Controlled Decoding from Language Models", 2023, "2310.17022"),
    summary="Weighs each of the likeliest next tokens by the reward of answers that the model itself ends from there, "
    "drawn or learned; or takes the best of several blocks of tokens.",
    formula="π(z | s) ∝ π_ref(z | s) e^(V(s, z)/β);  mean: V = E[r | s, z];  soft: V = β log E[e^(r/β) | s, z];  "
    "blocks: argmax_i V(s, z_i), z_1 … z_k ~ π_ref",
    legend=(
        "V: estimated by m answers that the model itself ends, or learned from its answers (CD-FUDGE, CD-Q)",
        "β: small ones move far from the model",
        "soft: with it the tokens follow the tilt π_ref e^(r/β) of whole answers exactly, as m grows",
        "learned: CD-FUDGE minimises Σ_t (V(y_≤t) − r)², CD-Q Σ_t (V(y_≤t) − v_t)² with v_t = Σ_z π(z | y_≤t) "
        "V(y_≤t, z), or r at the end; V is linear in the model's state",
        "z_i: blocks of `block` tokens; as long as answers they make this best-of-k",
    ),
    use_when="The reward judges whole answers, and many short continuations can be paid for: answers are short. With a "
    "learned value answers may be long, and no reward is needed while they are written.",
    avoid_when="Answers are long and nothing was learned: the cost grows with their square. Use best-of-n or qalign. "
    "A learned value is linear in the model's states: look at how much of the reward it explains.",
    requires=("a reward, or a prefix scorer of this very model",),
    cost="for every token of the answer k·m continuations and rewards; what stands before is not run again. Learned: k "
    "tokens for every token; in blocks k answers",
    aliases=("cd",),
)
def controlled_decoding(
    beta: Beta = _BETA,
    k: Choices = 20,
    m: Rollouts = _ROLLOUTS,
    value: ValueOf = "soft",
    ahead: Ahead = None,
    block: Block = None,
) -> Guided | Blockwise:
    """Guided by the value of the model's own continuations, or by a learned one.

    Raises:
        RecipeError: if a setting has no effect.
        ModelError: if there is no such prefix scorer.
    """
    learned = value not in ("mean", "soft")
    if learned and (m != _ROLLOUTS or ahead is not None):
        raise RecipeError(
            "m and ahead have no effect on a learned value, which draws no continuations",
            where="decode",
            fix="remove them",
        )
    if block is not None and beta != _BETA and value != "soft":
        raise RecipeError(
            "beta has no effect on blocks, of which the best is taken", where="decode.beta", fix="remove beta"
        )
    worth = _learned(value) if learned else OfContinuations(m, Soft(beta) if value == "soft" else Mean(), ahead)
    return Guided(worth, k, 1 / beta) if block is None else Blockwise(worth, k, block)


def _learned(value: str | PrefixScorer) -> TokenValue:
    scorer = value if isinstance(value, PrefixScorer) else PrefixScorer.load(Path(value), "decode.value")
    return OfPrefixes(scorer)
