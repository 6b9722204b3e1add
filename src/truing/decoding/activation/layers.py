"""Which block to steer: scores for every one of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from truing.decoding.activation.directions import ESTIMATORS, EstimatorName, auc, check_sides

RuleName = Literal["js", "auc"]
States = Float[Tensor, "examples layers hidden"]


def jensen_shannon(plus: States, minus: States) -> Float[Tensor, " layers"]:
    """Mean over pairs of JS(softmax(h⁺), softmax(h⁻)) over the numbers of a state, nats; at most log 2.

    The softmax of a state stands for no distribution that the model makes; the paper's authors compare states so.

    Raises:
        DataError: if the states are no pairs.
    """
    check_sides(plus, minus, paired=True)
    p, q = (side.double().log_softmax(-1) for side in (plus, minus))
    middle = torch.logaddexp(p, q) - math.log(2)
    return 0.5 * sum(_kl(side, middle) for side in (p, q)).mean(0)  # type: ignore[union-attr]


def _kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    return (log_p.exp() * (log_p - log_q)).sum(-1)


def held_out_auc(
    plus: States, minus: States, estimator: EstimatorName = "difference", *, folds: int = 5
) -> Float[Tensor, " layers"]:
    """P(h⁺·v > h⁻·v) with v from other examples, averaged over folds of neighbours.

    Args:
        plus, minus: states of both sides, in pairs or not.
        estimator: how the direction is found.
        folds: parts that are held out in turn; fewer where there are fewer than two examples to each.

    Raises:
        DataError: on states of which no direction can be made.
    """
    check_sides(plus, minus)
    folds = max(2, min(folds, len(plus) // 2, len(minus) // 2))
    held = [(torch.arange(len(side)) * folds // len(side)) for side in (plus, minus)]
    found = torch.zeros(plus.shape[1], dtype=torch.float64)
    for fold in range(folds):
        (fit_plus, test_plus), (fit_minus, test_minus) = (
            (side[of != fold].float(), side[of == fold].float())
            for side, of in zip((plus, minus), held, strict=True)
        )
        for layer in range(plus.shape[1]):
            vector = ESTIMATORS[estimator](fit_plus[:, layer], fit_minus[:, layer])
            found[layer] += auc(test_plus[:, layer] @ vector, test_minus[:, layer] @ vector) / folds
    return found


RULES: dict[RuleName, Callable[[States, States], Tensor]] = {"js": jensen_shannon, "auc": held_out_auc}


def first_half_and_one(count: int) -> range:
    """Blocks among which the paper looks: 0 to 16 of 32."""
    return range(min(count, count // 2 + 1))


def chosen(scores: Float[Tensor, " layers"], candidates: range) -> int:
    """The candidate with the highest score, the first of equals."""
    return candidates[int(scores[list(candidates)].argmax())]
