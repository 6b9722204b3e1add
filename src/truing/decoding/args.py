"""ARGS (2402.01694): each next token is weighed by the reward of the text as it would then be."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from truing.decoding.guided import Guided
from truing.decoding.method import decoder
from truing.decoding.values import OfTheText
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper

Width = Annotated[int, Field(gt=0, le=1000), Doc("likeliest tokens that are weighed", "1 to 1000; 1 is the model")]
Weight = Annotated[float, NON_NEGATIVE, Doc("of the reward beside the log-probability", "0 is the model itself")]


@decoder(
    name="args",
    slug="args",
    paper=Paper("ARGS: Alignment as Reward-Guided Search", 2024, "2402.01694"),
    summary="Weighs each of the likeliest next tokens by the reward of the text so far with that token.",
    formula="z ~ softmax((log π(z | s) + w r(s, z)) / τ) over the k likeliest z",
    legend=(
        "s: prompt and answer so far",
        "r: the reward, asked of unfinished text",
        "w: weight; the paper's 1.5 is for rewards of a few units",
        "τ: temperature of the sampling; 0 takes the best",
    ),
    use_when="A cheap reward is also right on unfinished text, e.g. one that adds up over words.",
    avoid_when="The reward judges whole answers: what looks good half-way may end badly. Use transfer-q, "
    "controlled-decoding or qalign.",
    requires=("a reward that can judge unfinished text",),
    cost="k tokens and k rewards for every token of the answer",
)
def args(k: Width = 10, w: Weight = 1.5) -> Guided:
    """Guided by the reward of the text so far."""
    return Guided(OfTheText(), k, w)
