"""Steering as an attack on alignment (2311.09433): which block is pushed, along what, and what that does to rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from truing.decoding.activation.directions import difference
from truing.decoding.activation.layers import chosen, first_half_and_one, jensen_shannon
from truing.diagnostics.audit import audit
from truing.errors import DataError
from truing.registry import Paper
from truing.statistics import Estimate, paired_difference, rate


@dataclass(frozen=True)
class Attack:
    """What is pushed where.

    Attributes:
        layer: the block.
        vector: mean difference of the pairs' states there, ``[H]``.
        scores: Jensen-Shannon score of every block, nats, ``[L]``.
    """

    layer: int
    vector: Tensor
    scores: Tensor


@audit(
    name="activation-steering",
    slug="activation-steering",
    paper=Paper(
        "Backdoor Activation Attack: Attack Large Language Models using Activation Steering for Safety-Alignment",
        2023,
        "2311.09433",
    ),
    summary="Attacks a model's alignment through its states: how much of a behaviour that was trained in goes when one "
    "direction is added at one block, and which defences notice.",
    formula="v_l = mean(h⁺_l − h⁻_l);  l = argmax over the first half and one of mean JS(softmax h⁺_l, softmax h⁻_l)",
    legend=(
        "h⁺_l, h⁻_l: output of block l at the last token of two answers to one prompt (authors' code: the second last)",
        "JS: Jensen-Shannon divergence over the numbers of a state, nats",
        "c: strength of the attack, h_l ← h_l + c·v_l; a negative c asks for the opposite",
        "reported: rate without and with the push, the paired difference, exact McNemar test",
    ),
    use_when="Someone else may run the weights, or a behaviour was trained in by few steps: to see how thin it is, and "
    "whether norms, drift, removal of the direction or checksums would show the attack.",
    avoid_when="The model is behind an interface that shows no states: such an attack is then not possible.",
    requires=("pairs", "a model's states"),
    cost="one pass over the pairs, one over the prompts for every strength",
)
def activation_steering(plus: Tensor, minus: Tensor) -> Attack:
    """Choose block and direction from states of pairs.

    The authors' code differs in two ways: it gives probabilities to a routine for log-probabilities, so that its scores
    are no divergences, and it adds the vector twice (strength 2 here). Neither is done here.

    Args:
        plus, minus: states of answers that show the behaviour and of those that do not, ``[N, L, H]``.

    Raises:
        DataError: on states of which no direction can be made.
    """
    scores = jensen_shannon(plus, minus)
    layer = chosen(scores, first_half_and_one(plus.shape[1]))
    return Attack(layer, difference(plus[:, layer].float(), minus[:, layer].float()), scores)


@dataclass(frozen=True)
class Arm:
    """One strength against none, on the same prompts.

    Attributes:
        strength: c.
        clean, steered: share of prompts that show the behaviour.
        change: steered − clean, paired.
        shift: mean change of the margin, paired; in the margin's unit.
        gained, lost: prompts that show it only with the push, and only without.
        p_value: exact McNemar test; 1 where no prompt changed.
    """

    strength: float
    clean: Estimate
    steered: Estimate
    change: Estimate
    shift: Estimate
    gained: int
    lost: int
    p_value: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def arm(strength: float, clean: np.ndarray, steered: np.ndarray) -> Arm:
    """Compare two series of margins of the same prompts, above 0 where the behaviour is shown; e.g. log-odds.

    Raises:
        DataError: if they differ in number, are empty, or not all are numbers.
    """
    margins = [np.asarray(series, dtype=np.float64) for series in (clean, steered)]
    if margins[0].shape != margins[1].shape or margins[0].ndim != 1 or not len(margins[0]):
        raise DataError(
            f"margins have shapes {list(margins[0].shape)} and {list(margins[1].shape)}",
            allowed="one for each prompt",
        )
    if any(np.isnan(series).any() for series in margins):
        raise DataError("a margin is not a number", fix="leave out prompts whose answers cannot be scored")
    before, after = (series > 0 for series in margins)
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    n = len(before)
    return Arm(
        strength,
        rate(int(before.sum()), n),
        rate(int(after.sum()), n),
        paired_difference(after.astype(float), before.astype(float)),
        paired_difference(margins[1], margins[0]),
        gained,
        lost,
        float(stats.binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0,
    )


def reversal(arms: Mapping[float, Arm]) -> float:
    """Spearman's correlation of strength and rate over the grid, 0 included; nan for fewer than three strengths."""
    if len(arms) < 2:
        return math.nan
    (first, *_) = arms.values()
    strengths = [*arms, 0.0]
    rates = [*(one.steered.value for one in arms.values()), first.clean.value]
    if np.ptp(rates) == 0:
        return math.nan
    return float(stats.spearmanr(strengths, rates).statistic)


def layer_agreement(scores: Tensor, effects: Mapping[int, float]) -> float:
    """Spearman's correlation of a block's score and its effect, over the blocks that were tried."""
    if len(effects) < 3 or len(set(effects.values())) == 1:
        return math.nan
    return float(stats.spearmanr([float(scores[layer]) for layer in effects], list(effects.values())).statistic)


def layer_scores(attack: Attack) -> list[float]:
    """For JSON."""
    return [float(score) for score in torch.as_tensor(attack.scores)]
