"""Directions of preference (DPA, 2402.18571): the draw, and what is chosen under it.

The choice is best-of-8 from a fixed policy, in closed form; training a policy that reads the direction is not part of
it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from scipy import stats
from torch import Tensor

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals
from truing.rewards.algebra import Context
from truing.rewards.weighters.direction import Directions

Make = Callable[..., Directions]
NAMES = ("helpful", "verbose")


def _directions(make: Make, count: int, seed: int, **settings: float) -> Tensor:
    return make(seed=seed, **settings)(NAMES, Context.of([str(number) for number in range(count)]))


def _angles(directions: Tensor) -> Tensor:
    """Degrees from the first objective towards the second."""
    return torch.rad2deg(torch.atan2(directions[:, 1], directions[:, 0]))


@claim(
    method="dpa-direction",
    statement="Angles are uniform within ±45 degrees: the distance of their distribution from the uniform one "
    "stays under the 1 % bound of Kolmogorov and Smirnov for 4,000 prompts.",
    source="2402.18571, section 3",
)
def uniform_by_angle(make: Make, seed: int) -> Measurement:
    angles = _angles(_directions(make, 4000, seed))
    distance = stats.kstest(angles.numpy(), stats.uniform(-45, 90).cdf).statistic
    return below(1.628 / math.sqrt(4000), float(distance), "probability")


@claim(
    method="dpa-direction",
    statement="Every direction has norm 1, for two to five objectives.",
    source="2402.18571: ‖v‖ = 1",
)
def unit_length(make: Make, seed: int) -> Measurement:
    context = Context.of([str(number) for number in range(200)])
    norms = [make(seed=seed)(tuple("abcde"[:count]), context).norm(dim=1) for count in (2, 3, 4, 5)]
    return equals(0.0, float((torch.stack(norms) - 1).abs().max()), 1e-12, "norm")


def _front(seed: int) -> Tensor:
    """Nine answers on a noisy arc, from much less to much more of the second reward than is usual."""
    angle = torch.linspace(-math.pi / 2, math.pi / 2, 9, dtype=torch.float64)
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.03 * normals(seed, 9, 2)


def _expected(front: Tensor, direction: Tensor, n: int = 8) -> Tensor:
    """Mean rewards of the best of n draws, from nine equally likely answers, by vᵀR."""
    order = (front @ direction).argsort()
    rank = torch.arange(1, 10, dtype=torch.float64) / 9
    return (rank**n - (rank - 1 / 9) ** n) @ front[order]


@claim(
    method="dpa-direction",
    statement="The answers chosen by best-of-8 have the more of the second objective, the more the direction "
    "points to it, and the less of the first, the further it points away from that: rank correlations of at least 0.9.",
    source="2402.18571, section 3; catalogue, dpa: nine answers on a noisy front",
)
def choice_follows_the_direction(make: Make, seed: int) -> Measurement:
    angles, found = _sweep(make, seed)
    first, second = _correlation(angles.abs(), found[:, 0]), _correlation(angles, found[:, 1])
    return above(0.9, min(second, -first), "rank correlation", first=first, second=second)


@claim(
    method="dpa-direction",
    statement="Control: with the directions of other prompts the correlation is gone (below 0.3).",
    source="catalogue, dpa: v shuffled across samples",
)
def nothing_follows_a_shuffled_direction(make: Make, seed: int) -> Measurement:
    angles, found = _sweep(make, seed)
    order = torch.randperm(len(angles), generator=torch.Generator().manual_seed(seed))
    return below(0.3, abs(_correlation(angles[order], found[:, 1])), "rank correlation")


def _correlation(left: Tensor, right: Tensor) -> float:
    """Spearman's; not a number where one side does not vary."""
    if float(left.std()) < 1e-9 or float(right.std()) < 1e-9:
        return math.nan
    return float(stats.spearmanr(left.numpy(), right.numpy()).statistic)


def _sweep(make: Make, seed: int) -> tuple[Tensor, Tensor]:
    """Angles of 200 prompts, and the mean rewards of what is chosen under each."""
    directions = _directions(make, 200, seed)
    front = _front(seed)
    return _angles(directions), torch.stack([_expected(front, direction) for direction in directions])
