"""Ideal points (2406.08469): two groups of opposite tastes, known users and new ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals
from truing.rewards.personal.comparisons import Comparisons
from truing.rewards.personal.fitted import PersonalRewards
from truing.rewards.personal.pal import Pal
from truing.worlds.tastes import Tastes, tastes, two_groups

Make = Callable[..., Pal]
WORLDS, USERS, EACH, NEWCOMERS = 3, 60, 30, 20
SOURCE = "2406.08469; catalogue, pal: two groups of opposite ideal points in R^8, 60 users with 30 pairs each"
FIT = {"dim": 8, "epochs": 20, "batch": 450, "learning_rate": 0.05, "decay": 0.01}


def _worlds(seed: int) -> list[Tastes]:
    return [tastes(10 * seed + number) for number in range(WORLDS)]


def _fitted(make: Make, world: Tastes, prototypes: int) -> PersonalRewards:
    return make(prototypes=prototypes, **FIT).fit(world.pairs(two_groups(USERS), EACH, 0))


def _held_out(world: Tastes) -> Comparisons:
    return world.pairs(two_groups(USERS), 100, 1)


@claim(
    method="pal",
    statement="With two prototypes more than 0.9 of new pairs of known users are put in order.",
    source=SOURCE,
)
def two_tastes_are_told_apart(make: Make, seed: int) -> Measurement:
    return above(0.9, [_fitted(make, world, 2).accuracy(_held_out(world)) for world in _worlds(seed)], "accuracy")


@claim(
    method="pal",
    statement="With one prototype, where the groups disagree on every pair, 0.5 of new pairs are put in order: "
    "within 0.03, about three standard errors of 12,000 pairs and of what the groups' samples leave.",
    source=SOURCE,
)
def one_taste_is_chance(make: Make, seed: int) -> Measurement:
    found = [_fitted(make, world, 1).accuracy(_held_out(world)) for world in _worlds(seed)]
    return equals(0.5, float(np.mean(found)), 0.03, "accuracy", values=found)


@claim(
    method="pal",
    statement="The prototype that counts most for a user tells the group, with purity above 0.95.",
    source=SOURCE,
)
def weights_tell_the_group(make: Make, seed: int) -> Measurement:
    purities = []
    for world in _worlds(seed):
        fitted = _fitted(make, world, 2)
        groups = two_groups(USERS)
        own = torch.tensor([groups[name] for name in fitted.names])
        most = fitted.weights.argmax(1)
        counts = torch.stack([(own[most == k][:, None] == torch.arange(2)).sum(0) for k in range(2)])
        purities.append(float(counts.amax(1).sum()) / USERS)
    return above(0.95, min(purities), "purity", values=purities)


@cache
def _alone(seed: int) -> dict[int, list[float]]:
    """Accuracy on new pairs of logistic regressions for single newcomers, by how many pairs each saw."""
    from sklearn.linear_model import LogisticRegression

    found: dict[int, list[float]] = {}
    for world in _worlds(seed):
        for number in range(NEWCOMERS):
            test = _newcomer(world, number, 400, 1)
            for n in (2, 5, 10, 20):
                gaps = _gaps(_newcomer(world, number, n, 0))
                model = LogisticRegression(fit_intercept=False)
                model.fit(np.concatenate([gaps, -gaps]), np.repeat([1, 0], len(gaps)))
                found.setdefault(n, []).append(float((model.decision_function(_gaps(test)) > 0).mean()))
    return found


def _gaps(pairs: Comparisons) -> np.ndarray:
    gaps: np.ndarray = (pairs.chosen - pairs.rejected).numpy()
    return gaps


def _newcomer(world: Tastes, number: int, each: int, draw: int) -> Comparisons:
    return world.pairs({"newcomer": number % 2}, each, 100 + 2 * number + draw)


def _gains(make: Make, seed: int, n: int) -> list[float]:
    """By how much weights alone, from n pairs, beat a model of the newcomer's own."""
    alone = iter(_alone(seed)[n])
    gains = []
    for world in _worlds(seed):
        fitted = _fitted(make, world, 2)
        for number in range(NEWCOMERS):
            known = fitted.with_user("newcomer", _newcomer(world, number, n, 0))
            gains.append(known.accuracy(_newcomer(world, number, 400, 1)) - next(alone))
    return gains


@claim(
    method="pal",
    statement="For a newcomer with 2 labelled pairs, weights of known prototypes beat a model of the newcomer's own "
    "by more than 0.1 of new pairs.",
    source=SOURCE,
)
def two_pairs_are_enough(make: Make, seed: int) -> Measurement:
    return above(0.1, _gains(make, seed, 2), "accuracy")


@claim(
    method="pal",
    statement="For newcomers with 20 labelled pairs, weights of known prototypes still beat models of their own.",
    source=SOURCE,
)
def twenty_pairs_are_fewer_than_it_needs_alone(make: Make, seed: int) -> Measurement:
    return above(0.0, _gains(make, seed, 20), "accuracy")


@claim(
    method="pal",
    statement="What shared prototypes gain over a newcomer's own model shrinks from 5 labelled pairs to 20.",
    source=SOURCE,
)
def the_gain_shrinks(make: Make, seed: int) -> Measurement:
    few, many = _gains(make, seed, 5), _gains(make, seed, 20)
    return below(0.0, [late - early for early, late in zip(few, many, strict=True)], "accuracy")


@claim(
    method="pal",
    statement="With one prototype it is one shared reward model: all users have the same rewards, exactly.",
    source="2406.08469 with K = 1; catalogue, list of reductions",
)
def one_prototype_is_shared(make: Make, seed: int) -> Measurement:
    world = tastes(seed)
    fitted = make(prototypes=1, **{**FIT, "epochs": 2}).fit(world.pairs(two_groups(4), 10, 0))
    answers = normals(seed, 20, 16)
    rewards = [fitted.rewards([user] * 20, torch.zeros_like(answers), answers) for user in fitted.names]
    return equals(0.0, float((torch.stack(rewards) - rewards[0]).abs().max()), 0.0, "reward")
