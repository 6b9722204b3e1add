"""Preference strength and repaired labels (2401.06080), in a linear world with a quarter of the labels exchanged."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals
from truing.objectives import Batch, Objective, Scores
from truing.objectives.algebra.sources import STATES
from truing.objectives.algebra.term import Term
from truing.rewards.labels.strength import Repairs, Strength
from truing.worlds.noisy_labels import NoisyPairs, draw, fit_linear

Make = Callable[..., Strength]
WORLDS = 8
SOURCE = "2401.06080, section 2; catalogue, secrets-rm: linear reward, 25 % of the labels exchanged"


@cache
def _world(seed: int) -> NoisyPairs:
    return draw(seed)


def _seeds(seed: int) -> range:
    return range(100 * seed, 100 * seed + WORLDS)


def _repaired(world: NoisyPairs, repairs: Repairs) -> np.ndarray:
    """Coefficients fitted to the labels as they were repaired."""
    gaps = world.gaps * np.where(repairs.flipped, -1.0, 1.0)[:, None]
    return fit_linear(gaps, repairs.preference, repairs.margin)


@claim(
    method="preference-strength",
    statement="Strength tells exchanged labels from right ones: the area under its ROC curve is above 0.8.",
    source=SOURCE,
)
def finds_wrong_labels(make: Make, seed: int) -> Measurement:
    from sklearn.metrics import roc_auc_score

    found = []
    for own in _seeds(seed):
        world = _world(own)
        found.append(float(roc_auc_score(world.wrong, -make().votes(world.gaps).strength)))
    return above(0.8, found, "area under the curve")


@claim(
    method="preference-strength",
    statement="A reward that is fitted after the weakest fifth of the labels was exchanged orders more clean pairs "
    "than one fitted to the labels as they were.",
    source=SOURCE,
)
def flips_help(make: Make, seed: int) -> Measurement:
    gains = []
    for own in _seeds(seed):
        world, settings = _world(own), make(soft=0.0, margin=False)
        mended = _repaired(world, settings.repairs(settings.votes(world.gaps)))
        gains.append(world.accuracy(mended, own) - world.accuracy(fit_linear(world.gaps), own))
    return above(0.0, gains, "accuracy")


@claim(
    method="preference-strength",
    statement="Fitted to the weakest fifth of the pairs alone, as labelled, a reward is worse than chance: it orders "
    "fewer than 0.5 of clean pairs.",
    source=SOURCE,
)
def the_weakest_fifth_misleads(make: Make, seed: int) -> Measurement:
    found = []
    for own in _seeds(seed):
        world = _world(own)
        weakest = np.argsort(make().votes(world.gaps).strength, kind="stable")[: len(world.gaps) // 5]
        found.append(world.accuracy(fit_linear(world.gaps[weakest]), own))
    return below(0.5, found, "accuracy")


@claim(
    method="preference-strength",
    statement="Where rewards are linear, soft labels and margins on top of flips lose what flips gain: fewer clean "
    "pairs are ordered than with flips alone.",
    source="measured; the catalogue expects all three together to be best, the paper found so with language models",
)
def the_rest_gains_nothing_where_rewards_are_linear(make: Make, seed: int) -> Measurement:
    losses = []
    for own in _seeds(seed):
        world, every, flips = _world(own), make(soft=0.2, margin=True), make(soft=0.0, margin=False)
        votes = every.votes(world.gaps)
        mended = [_repaired(world, settings.repairs(votes)) for settings in (every, flips)]
        losses.append(world.accuracy(mended[0], own) - world.accuracy(mended[1], own))
    return below(0.0, losses, "accuracy")


@claim(
    method="secrets-rm",
    statement="With a preference of 0.8 and a margin of 0.5 the best lead is 0.5 + log(0.8/0.2) = 1.886 nats.",
    source="2401.06080, soft labels and adaptive margin: where the slope of the cross-entropy in R_w − R_l − m is 0",
)
def lead_is_margin_and_log_odds(make: Factory, seed: int) -> Measurement:
    p, margin = 0.8, 0.5
    batch = Batch.pairs(
        1, margin=torch.tensor([margin], dtype=torch.float64), columns={"preference": torch.tensor([p])}
    )
    objective, low, high = make(centre=0.0), -10.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        values = torch.tensor([[middle / 2], [-middle / 2]], dtype=torch.float64, requires_grad=True)
        nothing = torch.zeros(2, dtype=torch.float64)
        loss = objective(Scores(nothing, torch.arange(2), 2, values=values), batch).loss
        (slope,) = torch.autograd.grad(loss, [values])
        low, high = (middle, high) if float(slope[0]) < 0 else (low, middle)
    return equals(margin + math.log(p / (1 - p)), (low + high) / 2, 1e-6, "nats")


@claim(
    method="secrets-rm",
    statement="With certain labels and without margins it is Bradley–Terry: largest difference of losses 0.",
    source="p = 1 and m = 0 in the loss",
)
def certain_labels_are_bradley_terry(make: Factory, seed: int) -> Measurement:
    from truing.objectives import bradley_terry

    values, nothing = normals(seed, 20, 1), torch.zeros(20, dtype=torch.float64)
    scores = Scores(nothing, torch.arange(20), 20, values=values)
    own, other = (build()(scores, Batch.pairs(10)).per_example for build in (make, bradley_terry))
    return equals(0.0, float((own - other).abs().max()), 1e-12, "nats")


def _contrast(objective: Objective) -> Term:
    """The contrastive term of the loss."""
    return next(term for _, term in objective.terms if STATES in term.requires)


def _pairs(gaps: Tensor) -> tuple[Scores, Batch]:
    """Pairs whose states differ by these, half of it on either side."""
    states = torch.stack([gaps / 2, -gaps / 2], dim=1).flatten(0, 1)
    nothing = torch.zeros(len(states), dtype=torch.float64)
    scores = Scores(nothing, torch.arange(len(states)), len(states), states=states, values=states[:, :1])
    return scores, Batch.pairs(len(gaps))


@claim(
    method="secrets-rm",
    statement="Of 8 pairs whose states differ in directions at right angles to each other, one that is hardly masked "
    "finds itself at temperature 1 with a contrastive loss of log(1 + 7/e) = 1.274 nats.",
    source="2401.06080, contrastive loss on differences: cosines are 1 with itself and 0 with the others",
)
def right_angles_cost_this(make: Factory, seed: int) -> Measurement:
    turned, _ = torch.linalg.qr(normals(seed, 8, 8))
    scores, batch = _pairs(turned)
    term = _contrast(make(contrast=1.0, temperature=1.0, dropout=1e-9, seed=seed))
    values = term.losses(scores, batch, term.init()).values
    return equals(math.log1p(7 / math.e), float(values.mean()), 1e-6, "nats")


@claim(
    method="secrets-rm",
    statement="Followed alone, the contrastive loss turns the differences of 16 pairs, which share a direction at "
    "first, away from each other: the mean cosine between pairs falls, its change is below 0.",
    source="2401.06080, contrastive learning; SimCSE (2104.08821), uniformity",
)
def contrast_spreads_differences(make: Factory, seed: int) -> Measurement:
    changes = []
    for own in range(8 * seed, 8 * seed + 8):
        objective = make(contrast=1.0, temperature=0.2, dropout=0.1, seed=own)
        term = _contrast(objective)
        gaps = (normals(own, 16, 12) + 1.0).requires_grad_()
        before, state = _likeness(gaps), term.init()
        for _ in range(30):
            scores, batch = _pairs(gaps)
            state = term.update(state, scores, batch, None, True)
            (slope,) = torch.autograd.grad(term.losses(scores, batch, state).values.mean(), [gaps])
            gaps = (gaps - 2.0 * slope).detach().requires_grad_()
        changes.append(_likeness(gaps) - before)
    return below(0.0, changes, "cosine")


def _likeness(gaps: Tensor) -> float:
    """Mean cosine of the differences of two pairs."""
    unit = torch.nn.functional.normalize(gaps.detach(), dim=1)
    count = len(unit)
    return float(((unit @ unit.T).sum() - count) / (count * (count - 1)))
