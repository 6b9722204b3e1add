"""MetaRM (2401.06080, section 4): gradients taken a step ahead, where rewards are linear and the policy has moved."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.worlds.drift import LABELLED, MOVED, Drift, descend, draw

RATE, WORLDS = 4.0, 7
SOURCE = "2401.06080, section 4; catalogue, secrets-rm"


@cache
def _rewards(make: Factory, seed: int, matters: float) -> list[tuple[int, Drift, Tensor, Tensor]]:
    """Worlds, with the reward of plain training and that of MetaRM in each."""
    found = []
    for own in range(WORLDS * seed, WORLDS * (seed + 1)):
        world = draw(own, moved_matters=matters)
        plain, ahead = (descend(world, make(centre=0.0, ahead=rate)) for rate in (0.0, RATE))
        found.append((own, world, plain, ahead))
    return found


def _gains(make: Factory, seed: int, matters: float, deviations: tuple[float, float]) -> list[float]:
    """Accuracy on new pairs of these deviations, with the step ahead less without."""
    return [
        world.accuracy(ahead, deviations, own) - world.accuracy(plain, deviations, own)
        for own, world, plain, ahead in _rewards(make, seed, matters)
    ]


def _slope(world: Drift, reward: Tensor) -> Tensor:
    """∇J by hand: (2/k²) Σ_{i<j} σ′(|g|) sign(g) (s_i − s_j), g the gap of rewards, mean over prompts."""
    count = world.samples.shape[1]
    first, second = torch.triu_indices(count, count, offset=1)
    gaps = world.samples[:, first] - world.samples[:, second]
    leads = gaps @ reward
    slopes = torch.sigmoid(leads) * torch.sigmoid(-leads) * torch.sign(leads)
    return 2 / count**2 * (slopes[..., None] * gaps).sum(1).mean(0)


@claim(
    method="secrets-rm",
    statement="Where rewards are linear, MetaRM comes to rest where a step of η∇J leads to the plain optimum: largest "
    "difference of a coefficient 0.",
    source=f"{SOURCE}: the gradient at θ + η∇J(θ) is 0 where that is the plain optimum",
)
def rests_a_step_before_the_plain_optimum(make: Factory, seed: int) -> Measurement:
    world = draw(1 + 10 * seed, pairs=150, moved_matters=1.0)
    plain = descend(world, make(centre=0.0), steps=100, rate=3.0)
    reward = descend(world, make(centre=0.0, ahead=1.0), steps=100, rate=3.0)
    return equals(0.0, float((reward + _slope(world, reward) - plain).abs().max()), 1e-3, "reward a feature")


@claim(
    method="secrets-rm",
    statement="MetaRM leaves the policy's new answers less far apart than plain training does: the relative "
    "change of the mean difference of two samples' rewards is below 0.",
    source="from the place where it rests; the paper, and the catalogue with it, report larger differences",
)
def samples_differ_less(make: Factory, seed: int) -> Measurement:
    worlds = _rewards(make, seed, 0.0)
    return below(0.0, [world.apart(ahead) / world.apart(plain) - 1 for _, world, plain, ahead in worlds], "share")


@claim(
    method="secrets-rm",
    statement="Where the policy's new answers differ in what the true reward does not care about, MetaRM puts more of "
    "their pairs in order than plain training: the change of accuracy is above 0.",
    source=f"{SOURCE}: reward models that tell a shifted policy's answers apart",
)
def more_moved_pairs_in_order(make: Factory, seed: int) -> Measurement:
    return above(0.0, _gains(make, seed, 0.0, MOVED), "accuracy")


@claim(
    method="secrets-rm",
    statement="Where the true reward cares about all features alike, MetaRM keeps the accuracy of plain training on "
    "pairs like the labelled ones: the mean change is 0, within 2 points.",
    source=f"{SOURCE}: accuracy in distribution within 2 points",
)
def labelled_pairs_stay_in_order(make: Factory, seed: int) -> Measurement:
    gains = _gains(make, seed, 1.0, LABELLED)
    return equals(0.0, sum(gains) / len(gains), 0.02, "accuracy", worst=max(gains, key=abs))
