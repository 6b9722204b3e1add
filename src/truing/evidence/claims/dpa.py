"""Directions of preference (DPA, 2402.18571): the draw, and what is chosen under it.

The choice is best-of-8 in closed form, from a fixed policy and from one that reads the direction and is trained on what
was chosen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

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


def _conditioned(make: Make, seed: int, *, rounds: int = 3, shuffled: bool = False) -> list[Tensor]:
    """Weights of a policy that reads the direction, after each round of best-of-8 from itself, in closed form.

    Logits of the nine answers are linear in the direction; a round fits them to what is chosen under 120 directions.
    """
    front = _front(seed)
    weights, found = torch.zeros(3, 9, dtype=torch.float64), []
    draw = torch.Generator().manual_seed(seed)
    for turn in range(rounds):
        context = Context.of([str(number) for number in range(120)])
        directions = make(seed=seed)(NAMES, replace(context, round=turn))
        target = torch.stack([_chosen(front, own, _policy(weights, own)) for own in directions])
        seen = directions[torch.randperm(120, generator=draw)] if shuffled else directions
        weights = _fitted(weights, seen, target)
        found.append(weights)
    return found


def _read(directions: Tensor) -> Tensor:
    """What the policy sees of directions: both parts, and a constant."""
    return torch.cat([directions, torch.ones_like(directions[..., :1])], -1)


def _policy(weights: Tensor, direction: Tensor) -> Tensor:
    return torch.softmax(_read(direction) @ weights, -1)


def _chosen(front: Tensor, direction: Tensor, policy: Tensor, n: int = 8) -> Tensor:
    """Probability of each answer to be the best of n draws from a policy, by vᵀR."""
    order = (front @ direction).argsort()
    below = policy[order].cumsum(0)
    found = torch.zeros_like(policy)
    found[order] = below**n - (below - policy[order]).clamp(min=0) ** n
    return found


def _fitted(start: Tensor, directions: Tensor, target: Tensor) -> Tensor:
    """Maximum likelihood of what was chosen, from the policy that drew it, with a little pull to 0."""
    weights = start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([weights], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        logs = torch.log_softmax(_read(directions) @ weights, -1)
        loss = -(target * logs).sum(-1).mean() + 1e-4 * weights.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return weights.detach()


def _reached(weights: Tensor, front: Tensor) -> tuple[Tensor, Tensor]:
    """Angles that were not trained on, and the mean rewards of the policy that is told them."""
    angles = torch.linspace(-44, 44, 23, dtype=torch.float64)
    radians = torch.deg2rad(angles)
    told = torch.stack([radians.cos(), radians.sin()], 1)
    return angles, _policy(weights, told) @ front


@claim(
    method="dpa-direction",
    statement="One policy that is told the direction covers an arc after three rounds of best-of-8 from itself: over "
    "angles that it has not seen, the mean of the second reward rises with the angle, rank correlation at least 0.9.",
    source="2402.18571, section 3.2; catalogue, dpa: tabular conditioned policy",
)
def one_policy_covers_an_arc(make: Make, seed: int) -> Measurement:
    angles, rewards = _reached(_conditioned(make, seed)[-1], _front(seed))
    return above(0.9, _correlation(angles, rewards[:, 1]), "rank correlation")


@claim(
    method="dpa-direction",
    statement="Rounds move the arc outward: what the told policy reaches along its own direction, in the mean over "
    "unseen angles, grows by more than 0 from the first round to the third.",
    source="2402.18571, section 4: fronts expand with iterations",
)
def rounds_move_the_arc_outward(make: Make, seed: int) -> Measurement:
    growth = []
    for own in range(5):
        front = _front(5 * seed + own)
        reached = []
        for weights in _conditioned(make, 5 * seed + own):
            angles, rewards = _reached(weights, front)
            radians = torch.deg2rad(angles)
            reached.append(float((rewards * torch.stack([radians.cos(), radians.sin()], 1)).sum(1).mean()))
        growth.append(reached[-1] - reached[0])
    return above(0.0, growth, "reward")


@claim(
    method="dpa-direction",
    statement="Control: told the directions of other prompts, the policy learns no arc, and its second reward moves by "
    "less than 0.3 between the ends, where it moves by more than 0.5 otherwise.",
    source="catalogue, dpa: shuffling v across samples",
)
def told_other_directions_there_is_no_arc(make: Make, seed: int) -> Measurement:
    spans = []
    for shuffled in (True, False):
        _, rewards = _reached(_conditioned(make, seed, shuffled=shuffled)[-1], _front(seed))
        spans.append(float(rewards[-1, 1] - rewards[0, 1]))
    return below(0.3, abs(spans[0]) if spans[1] > 0.5 else math.nan, "reward", told_right=spans[1])
