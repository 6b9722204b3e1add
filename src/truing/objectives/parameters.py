"""Hyper-parameters that several objectives share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from truing.parameters import NON_NEGATIVE, POSITIVE, Doc

Beta = Annotated[
    float,
    POSITIVE,
    Doc(
        "strength of the pull towards the reference: larger stays closer",
        "beta > 0; at 0 the loss is a constant and nothing is learned, below 0 the preference is reversed",
    ),
]
Scale = Annotated[
    float,
    POSITIVE,
    Doc(
        "scale of the score difference inside the link; there is no reference that it would pull towards",
        "beta > 0; at 0 the loss is a constant and nothing is learned, below 0 the preference is reversed",
    ),
]
Centre = Annotated[
    float,
    NON_NEGATIVE,
    Doc(
        "weight of (R_w + R_l)², which puts all prompts' rewards at one level",
        "centre >= 0; at 0 levels are left open, below 0 they would run away",
    ),
]
BestAnswerWeight = Annotated[
    float,
    NON_NEGATIVE,
    Doc(
        "coefficient of the likelihood of the best answer",
        "sft_weight >= 0; 0 leaves it out, below 0 the best answer would be unlearned",
    ),
]
FlipRate = Annotated[
    float,
    Field(gt=0, lt=0.5, allow_inf_nan=False),
    Doc(
        "rate at which labels are flipped",
        "0 < flip_rate < 0.5; at 0.5 labels carry no information, at 0 nothing changes",
    ),
]
Smoothing = Annotated[
    float,
    Field(gt=0, lt=0.5, allow_inf_nan=False),
    Doc(
        "probability that a label is wrong",
        "0 < eps < 0.5; at 0.5 nothing can be learned, at 0 nothing changes",
    ),
]
Reliability = Annotated[
    float,
    Field(gt=0.5, lt=1, allow_inf_nan=False),
    Doc(
        "probability that a label is right, before the first batch",
        "0.5 < start < 1; at 0.5 labels carry no information, at 1 no label is ever doubted",
    ),
]
Momentum = Annotated[
    float,
    Field(ge=0, lt=1, allow_inf_nan=False),
    Doc(
        "weight of the past in the running reliability of an annotator",
        "0 <= momentum < 1; at 1 it would never move",
    ),
]
TailWeight = Annotated[
    float,
    Field(ge=0, lt=1, allow_inf_nan=False),
    Doc(
        "weight of the tokens beyond the shorter answer",
        "0 <= alpha < 1; at 1 nothing changes, below 0 extra tokens would count against themselves",
    ),
]
TokenPrice = Annotated[
    float,
    POSITIVE,
    Doc(
        "price of one token of extra length, in units of reward",
        "alpha > 0; at 0 nothing changes, below 0 length is rewarded",
    ),
]
TargetMargin = Annotated[
    float,
    NON_NEGATIVE,
    Doc(
        "target margin, outside beta as in the paper; gamma/beta of 0.3 to 0.5 is usual",
        "gamma >= 0; below 0 a pair would be satisfied with the wrong order",
    ),
]
SftWeight = Annotated[
    float,
    NON_NEGATIVE,
    Doc(
        "coefficient of the likelihood of the chosen answer",
        "alpha >= 0; 0 leaves it out, below 0 the chosen answer would be unlearned",
    ),
]
Order = Annotated[
    float | None,
    Field(gt=0, lt=1, allow_inf_nan=False),
    Doc(
        "order of the alpha-divergence, 0.5 if left out",
        "0 < alpha < 1; at 1 it is reverse-kl and at 0 forward-kl (1 - alpha in the paper's notation)",
    ),
]
