"""DPA's reward model (2402.18571): regression on ratings of which some are missing, in a linear world."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from scipy import stats
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals
from truing.objectives import Batch, Objective, Scores
from truing.rewards.algebra import Context
from truing.rewards.weighters.direction import dpa_direction

RESPECTS = ("helpful", "verbose", "honest")
COUNT, FEATURES = 600, 6


def _world(seed: int, missing: float) -> tuple[Tensor, Tensor, Tensor]:
    """Features of answers, their true ratings from 0 to 4, and those that were given, with noise and gaps."""
    features = normals(seed, COUNT, FEATURES)
    truth = 2 + features @ (0.3 * normals(seed + 1, FEATURES, 3))
    given = truth + 0.5 * normals(seed + 2, COUNT, 3)
    gaps = torch.rand(COUNT, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) < missing
    return features, truth, given.masked_fill(gaps, math.nan)


def _batch(given: Tensor) -> Batch:
    batch = Batch.ranked([2] * (len(given) // 2), torch.zeros(len(given), dtype=torch.float64))
    return replace(batch, per_sequence={f"rating:{name}": given[:, k] for k, name in enumerate(RESPECTS)})


def _loss(objective: Objective, outputs: Tensor, batch: Batch) -> Tensor:
    count = len(outputs)
    return objective(Scores(torch.zeros(count).double(), torch.arange(count), count, values=outputs), batch).loss


def _trained(objective: Objective, features: Tensor, given: Tensor) -> Tensor:
    """Weights of a linear head with a constant."""
    inputs = torch.cat([features, torch.ones(len(features), 1)], 1)
    weights = torch.zeros(FEATURES + 1, 3, dtype=torch.float64, requires_grad=True)
    batch = _batch(given)
    optimiser = torch.optim.LBFGS([weights], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = _loss(objective, inputs @ weights, batch)
        loss.backward()
        return loss

    optimiser.step(closure)
    return 100 * (inputs @ weights).detach()


def _made(make: Factory) -> Objective:
    return make(respects=list(RESPECTS), low=0.0, high=4.0)


@claim(
    method="dpa-ratings",
    statement="With half of the ratings missing the head finds the true ones, on their scale from 0 to 100, to less "
    "than 3 points on average, where their noise is 12.5 points.",
    source="2402.18571, section 3.1: mean squared error on ratings rescaled to 0-100, missing ones masked",
)
def finds_the_ratings_that_are_missing(make: Factory, seed: int) -> Measurement:
    errors = []
    for own in range(5):
        features, truth, given = _world(100 * seed + own, 0.5)
        errors.append(float((_trained(_made(make), features, given) - 25 * truth).abs().mean()))
    return below(3.0, errors, "points")


@claim(
    method="dpa-ratings",
    statement="A rating that is missing has no part in the gradient, of any output: 0 exactly, and what others say of "
    "the answer still has.",
    source="catalogue, dpa: missing attributes masked",
)
def missing_ratings_say_nothing(make: Factory, seed: int) -> Measurement:
    _, _, given = _world(seed, 0.5)
    outputs = normals(seed + 3, COUNT, 3).requires_grad_()
    (slope,) = torch.autograd.grad(_loss(_made(make), outputs, _batch(given)), outputs)
    known = given.isfinite()
    complete = bool((slope[known] != 0).all())
    return equals(0.0, float(slope[~known].abs().max()) if complete else math.nan, 0.0, "gradient")


@claim(
    method="dpa-ratings",
    statement="Among eight answers the best by the predicted ratings along a direction has the more of the second "
    "respect, the more the direction points to it: rank correlation of at least 0.9 over angles.",
    source="2402.18571, sections 3.1 and 3.2",
)
def directions_choose_by_the_predictions(make: Factory, seed: int) -> Measurement:
    features, truth, given = _world(seed, 0.3)
    predicted = _trained(_made(make), features, given)[:, :2].reshape(-1, 8, 2)
    right = (25 * truth[:, :2]).reshape(-1, 8, 2)
    drawn = dpa_direction(seed=seed)(RESPECTS[:2], Context.of([str(n) for n in range(60)]))
    angles = torch.atan2(drawn[:, 1], drawn[:, 0])
    reached = []
    for own in drawn:
        place = (predicted @ own).argmax(1)
        reached.append(float(right[torch.arange(len(right)), place, 1].mean()))
    return above(0.9, float(stats.spearmanr(angles.numpy(), reached).statistic), "rank correlation")
