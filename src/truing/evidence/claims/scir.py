"""SCIR (2502.08922): what agreement of two internal judges is worth, exactly, and what training on it does."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.worlds.verdicts import Verdicts

_SOURCE = "catalogue, scir: two judges, each right with probability 0.7"
_PAIRS, _WORLDS = 400, 10


def _four(accuracy: float) -> Verdicts:
    """Both right, only the first, only the second, none, weighted by how often that happens."""
    right, wrong = accuracy, 1 - accuracy
    return Verdicts(
        torch.tensor([1.0, 1.0, -1.0, -1.0], dtype=torch.float64),
        torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64),
        weight=torch.tensor([right * right, right * wrong, wrong * right, wrong * wrong], dtype=torch.float64),
    )


def _learned(world: Verdicts, pull: Tensor) -> tuple[float, float]:
    """Share of pairs that are learned from, and how many of these in the right direction."""
    weight = torch.ones_like(pull) if world.weight is None else world.weight
    used = float((weight * (pull != 0)).sum() / weight.sum())
    return used, float((weight * (pull > 0)).sum() / weight.sum()) / used if used else math.nan


@claim(
    method="scir",
    statement="Of two independent judges that are right 70 % of the time, the pairs on which both agree are labelled "
    "rightly 0.49/(0.49 + 0.09) = 0.845 of the time.",
    source=_SOURCE,
)
def agreed_pairs_are_right_more_often(make: Factory, seed: int) -> Measurement:
    world = _four(0.7)
    _, right = _learned(world, world.pull(make(beta=1.0, consistency=0.0)))
    return equals(0.49 / 0.58, right, 1e-9, "share")


@claim(
    method="scir",
    statement="They agree on 0.49 + 0.09 = 0.58 of all pairs, and no others are learned from.",
    source=_SOURCE,
)
def agreed_pairs_are_fewer(make: Factory, seed: int) -> Measurement:
    world = _four(0.7)
    used, _ = _learned(world, world.pull(make(beta=1.0, consistency=0.0)))
    return equals(0.58, used, 1e-9, "share")


@claim(
    method="scir",
    statement="Two identical judges agree on all pairs and are right on 0.7 of them: a second opinion that is the "
    "first one gains 0.",
    source=f"{_SOURCE}: control",
)
def identical_judges_gain_nothing(make: Factory, seed: int) -> Measurement:
    world = _four(0.7)
    same = Verdicts(world.implicit, world.implicit, weight=world.weight)
    used, right = _learned(same, same.pull(make(beta=1.0, consistency=0.0)))
    return equals(0.0, right - 0.7 if abs(used - 1) < 1e-9 else math.nan, 1e-9, "share")


@claim(
    method="scir",
    statement="A model that prefers whatever stands first by 3 nats has the verdict of its knowledge: over both "
    "orders its verdicts are on the side of e = 0.5 and of −0.5, and agree with log-ratios of the same sign on 4 of "
    "4 pairs.",
    source="catalogue, scir: trivial agreement is avoided by averaging over both orders",
)
def place_says_nothing(make: Factory, seed: int) -> Measurement:
    signs = torch.tensor([1.0, 1.0, -1.0, -1.0], dtype=torch.float64)
    world = Verdicts(torch.tensor([0.2, 2.0, -0.2, -2.0], dtype=torch.float64), 0.5 * signs, first=3.0)
    pull = world.pull(make(beta=1.0, consistency=0.0))
    return equals(4.0, float((pull * signs > 0).sum()), 0.0, "pairs")


@claim(
    method="scir",
    statement="Iterations raise agreement: of 400 pairs with independent errors of both judges the share of agreed "
    "ones rises by more than 0.2 in 20 steps.",
    source="2502.08922; catalogue, scir: agreement rises",
)
def agreement_rises(make: Factory, seed: int) -> Measurement:
    objective = make(beta=1.0, entropy=0.0)
    rises = []
    for number in range(_WORLDS):
        world = Verdicts.independent(seed + number, _PAIRS, accuracy=0.7)
        rises.append(world.trained(objective, steps=20, rate=1.0).agreement() - world.agreement())
    return above(0.2, rises, "share")


@claim(
    method="scir",
    statement="What the log-ratio then says is right more often than the judge of self-rewarding alone, 0.70, in the "
    "same worlds: the mean of two errors is smaller, up to Φ(√2 · 0.524) = 0.77.",
    source="2502.08922; catalogue, scir: combined verdict against self-rewarding with one judge",
)
def two_judges_beat_one(make: Factory, seed: int) -> Measurement:
    objective = make(beta=1.0, entropy=0.0)
    gains, rights = [], []
    for number in range(_WORLDS):
        world = Verdicts.independent(seed + number, _PAIRS, accuracy=0.7)
        after = world.trained(objective, steps=20, rate=1.0)
        rights.append(float((after.implicit > 0).double().mean()))
        # Self-rewarding makes the policy repeat its judge.
        gains.append(rights[-1] - float((world.spoken > 0).double().mean()))
    return above(0.0, gains, "share", right=sum(rights) / _WORLDS)
