"""What can be read from a model and pairs alone, without a reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from truing.diagnostics.pair_scores import PairScores
from truing.diagnostics.readings import Reading
from truing.statistics import mean, rate


def ranking_now(scores: PairScores) -> list[Reading]:
    """How many pairs the model itself ranks rightly, by whole answers and per token."""
    whole = rate(int((scores.margin >= 0).sum()), len(scores.margin))
    token = rate(int((scores.margin_per_token >= 0).sum()), len(scores.margin))
    side = (
        "more often than chance"
        if whole.low > 0.5
        else "less often than chance"
        if whole.high < 0.5
        else "by chance"
    )
    says = f"The model finds the chosen answer the likelier one in {whole.value:.0%} of the pairs, {side}."
    if abs(whole.value - token.value) > 0.05:
        says += " Whole answers and tokens disagree: length decides much of it."
    return [
        Reading("ranking-accuracy", "ranking_accuracy", "ranking accuracy", whole, "share", says),
        Reading(
            "ranking-accuracy",
            "ranking_accuracy_per_token",
            "  per token",
            token,
            "share",
            "The same with mean log-probabilities, so that length does not count.",
        ),
    ]


def displacement_risk(ches: np.ndarray, ids: Sequence[str], *, whose: str) -> Reading:
    """How many pairs are alike to the model, and which most."""
    alike = rate(int((ches > 0).sum()), len(ches))
    worst = ", ".join(ids[i] for i in np.argsort(-ches, kind="stable")[:3])
    many = alike.low > 0.25
    count = int((ches > 0).sum())
    says = (
        f"In {count:,} of {len(ches):,} pairs the two answers look more alike to {whose} than the chosen one looks "
        f"like itself. Likeliest to lower their own chosen answers in training: {worst}."
    )
    return Reading(
        "ches",
        "ches_above_zero",
        "CHES above 0",
        alike,
        "share",
        says + (" Consider data.drop_ches." if many else ""),
        "note" if many else "plain",
    )


def uncertainty(scores: PairScores) -> list[Reading]:
    """Top-k entropy and mass; they mean something only beside another model's."""
    return [
        Reading(
            "likelihood-overopt",
            "topk_entropy",
            "entropy, 10 likeliest tokens",
            mean(scores.topk_entropy),
            "bits",
            "To be compared with the same model before or after training, never with another tokeniser's.",
        ),
        Reading(
            "likelihood-overopt",
            "topk_mass",
            "mass, 10 likeliest tokens",
            mean(scores.topk_mass),
            "share",
            "What the ten likeliest next tokens hold of the probability.",
        ),
    ]


def length_of_data(scores: PairScores) -> Reading:
    """Whether chosen answers are longer in the data: what a model can learn instead of quality."""
    gap = scores.tokens[:, 0] - scores.tokens[:, 1]
    difference = mean(gap)
    sides = "longer" if difference.value > 0 else "shorter"
    known = difference.excludes_zero
    return Reading(
        "",
        "chosen_longer_tokens",
        "chosen minus rejected length",
        difference,
        "Δ tokens",
        f"Chosen answers are {sides} in the data, which a model can learn instead of what makes them better."
        if known
        else "Length does not tell chosen from rejected in the data.",
        "note" if known else "plain",
    )
