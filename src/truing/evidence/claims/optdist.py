"""Distributions of values that are mostly zero with a heavy tail (OptDist, 2408.08585)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import distributions

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals
from truing.objectives import Batch, Objective, Scores
from truing.rewards.distributional.measures import normalised_gini
from truing.rewards.distributional.tables import fit_values
from truing.worlds.customers import Customers, customers

WORLDS, TRAIN, TEST, STEPS = 4, 2000, 3000, 200
SOURCE = "2408.08585, sections 4 and 5; catalogue, optdist: two user types"


@dataclass(frozen=True)
class Fitted:
    """One model on users that it has not seen.

    Attributes:
        loss: mean negative log-likelihood, nats.
        gini: normalised, of the order by expected value.
        match: share of users for whom the selector names their type, up to the names of the heads.
    """

    loss: float
    gini: float
    match: float


@cache
def _fit(objective: Objective, seed: int) -> Fitted:
    known, new = customers(seed, TRAIN), customers(seed + 5000, TEST)
    model = fit_values(known.features, known.values, objective=objective, steps=STEPS, rate=0.05, seed=seed)
    heads = model.heads(new.features)
    same = float(np.mean(heads.selector.argmax(1).numpy() == new.kind))
    loss = heads.picked.losses(torch.from_numpy(new.values)).mean()
    return Fitted(float(loss), normalised_gini(new.values, heads.picked.mean.numpy()), max(same, 1 - same))


def _both(make: Factory, seed: int) -> tuple[list[Fitted], list[Fitted]]:
    """Two heads, and one, in the same worlds."""
    seeds = [100 * seed + number for number in range(WORLDS)]
    return tuple(  # type: ignore[return-value]
        [_fit(make(heads=heads, steps=STEPS / 5), own) for own in seeds] for heads in (2, 1)
    )


def _gaussian(known: Customers, new: Customers) -> float:
    """Held-out loss of a linear regression with Gaussian noise, nats; of zeros it pays as for a density."""
    table = np.column_stack([known.features, np.ones(TRAIN)])
    weights = np.linalg.lstsq(table, known.values, rcond=None)[0]
    spread = float(np.std(known.values - table @ weights))
    distance = (new.values - np.column_stack([new.features, np.ones(TEST)]) @ weights) / spread
    return float(np.mean(0.5 * distance**2 + np.log(spread) + 0.5 * np.log(2 * np.pi)))


def _differences(first: Sequence[float], second: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(first, second, strict=True)]


@claim(
    method="optdist",
    statement="With one head it is ZILN: loss and gradient agree with torch's Bernoulli and LogNormal to 1e-10.",
    source="2408.08585, section 3; catalogue, shared algebra: OptDist M = 1 = ZILN",
)
def one_head_is_ziln(make: Factory, seed: int) -> Measurement:
    outputs = normals(seed, 40, 4).requires_grad_()
    values = torch.where(normals(seed + 1, 40) > 0, (2 * normals(seed + 2, 40)).exp(), torch.zeros(40).double())
    index, nothing = torch.arange(40), torch.zeros(40, dtype=torch.float64)
    scores = Scores(nothing, index, 40, values=outputs)
    own = make(heads=1)(scores, Batch.ranked([4] * 10, values)).loss
    scale = torch.nn.functional.softplus(outputs[:, 3]).clamp(0.05, 5.0)
    some = distributions.LogNormal(outputs[:, 2], scale).log_prob(values.clamp_min(1e-300))
    occurs = distributions.Bernoulli(logits=outputs[:, 1]).log_prob((values > 0).double())
    other = -(occurs + torch.where(values > 0, some, nothing)).mean()
    slopes = [torch.autograd.grad(loss, outputs)[0] for loss in (own, other)]
    errors = [float((own - other).detach().abs()), float((slopes[0] - slopes[1]).abs().max())]
    return equals(0.0, max(errors), 1e-10, "nats", errors=errors)


@claim(
    method="optdist",
    statement="Where users are of two types, two heads explain new users better than one: their mean negative "
    "log-likelihood is lower, by more than 0.",
    source=SOURCE,
)
def explains_better_than_one_head(make: Factory, seed: int) -> Measurement:
    several, one = _both(make, seed)
    return below(0.0, _differences([f.loss for f in several], [f.loss for f in one]), "nats")


@claim(
    method="optdist",
    statement="One zero-inflated head explains new users better than a Gaussian regression does, by more than 2 nats.",
    source=SOURCE,
)
def one_head_explains_better_than_a_gaussian(make: Factory, seed: int) -> Measurement:
    gains = []
    for own in (100 * seed + number for number in range(WORLDS)):
        fitted = _fit(make(heads=1, steps=STEPS / 5), own)
        gains.append(_gaussian(customers(own, TRAIN), customers(own + 5000, TEST)) - fitted.loss)
    return above(2.0, gains, "nats")


@claim(
    method="optdist",
    statement="The selector, which is never told, picks one head for users of one type and the other for the other, "
    "in more than 0.9 of new users.",
    source=SOURCE,
)
def selector_finds_the_types(make: Factory, seed: int) -> Measurement:
    objective = make(heads=2, steps=STEPS / 5)
    return above(
        0.9, [_fit(objective, 100 * seed + number).match for number in range(2 * WORLDS)], "share of users"
    )


@claim(
    method="optdist",
    statement="Two heads put new users in a better order of raw value than one: the normalised Gini coefficient is "
    "higher, by more than 0.",
    source=SOURCE,
)
def orders_better_than_one_head(make: Factory, seed: int) -> Measurement:
    several, one = _both(make, seed)
    return above(0.0, _differences([f.gini for f in several], [f.gini for f in one]), "normalised Gini")
