"""PARL (2308.03585) in a soft-optimal world of two states and three actions, where every gradient is exact."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from truing.control.parl import Hypergradient
from truing.control.preferences import PreferenceDesign, design
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below
from truing.evidence.setups import normals
from truing.worlds.mdp import MDP

Make = Callable[..., Hypergradient]
_WORLDS = 6
# Steps above, each of the same length.
_STEPS, _LENGTH = 8, 0.2
_SOURCE = "2308.03585; catalogue, parl: two states, three actions"


def _problem(seed: int) -> tuple[PreferenceDesign, Tensor]:
    """A random world, and a first reward that has nothing to do with the right one."""
    transitions = torch.softmax(normals(seed, 2, 3, 2), -1)
    world = MDP.of(transitions, 1.5 * normals(seed + 1, 2, 3), 0.7)
    return PreferenceDesign(world, length=2), 0.5 * normals(seed + 2, 2, 3)


def _slopes(problem: PreferenceDesign, reward: Tensor, step: float = 1e-5) -> Tensor:
    """Of ν → G(ν, θ*(ν)), by central differences: the policy is solved anew on both sides."""
    found = torch.zeros_like(reward)
    for place in range(reward.numel()):
        moved = torch.zeros_like(reward)
        moved.view(-1)[place] = step
        found.view(-1)[place] = (problem.through(reward + moved) - problem.through(reward - moved)).detach() / (
            2 * step
        )
    return found


def _heights(make: Make, problem: PreferenceDesign, reward: Tensor, *, implicit: bool) -> list[float]:
    """What is maximised, before every step and after the last."""
    return design(
        problem, reward, steps=_STEPS, rate=_LENGTH, unit=True, implicit=implicit, solver=make
    ).likelihoods


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).norm() / other.norm())


@claim(
    method="parl",
    statement="The hypergradient is the slope of the solved problem, by central differences, to less than 1e-4 of its "
    "length in the worst of 6 worlds.",
    source=_SOURCE,
)
def equals_finite_differences(make: Make, seed: int) -> Measurement:
    errors = []
    for number in range(_WORLDS):
        problem, reward = _problem(seed + 10 * number)
        found = make(problem.upper, problem.lower, reward, problem.best(reward))
        errors.append(_apart(found.whole, _slopes(problem, reward)))
    return below(1e-4, max(errors), "relative error", errors=errors)


@claim(
    method="parl",
    statement="Without the part through the policy the gradient is off by more than 0.1 of the slope's length, in "
    "each of 6 worlds.",
    source=f"{_SOURCE}: what ordinary reward learning leaves out",
)
def the_direct_part_is_not_enough(make: Make, seed: int) -> Measurement:
    errors = []
    for number in range(_WORLDS):
        problem, reward = _problem(seed + 10 * number)
        found = make(problem.upper, problem.lower, reward, problem.best(reward))
        errors.append(_apart(found.direct, _slopes(problem, reward)))
    return above(0.1, min(errors), "relative error", errors=errors)


@claim(
    method="parl",
    statement="From the same reward, 8 steps of equal length end higher in what is maximised with the whole gradient "
    "than without the part through the policy.",
    source=_SOURCE,
)
def higher_after_equal_steps(make: Make, seed: int) -> Measurement:
    gains = []
    for number in range(2 * _WORLDS):
        problem, reward = _problem(seed + 10 * number)
        whole, direct = (_heights(make, problem, reward, implicit=implicit) for implicit in (True, False))
        gains.append(whole[-1] - direct[-1])
    return above(0.0, gains, "nats a comparison")


@claim(
    method="parl",
    statement="The highest that the direct gradient comes to in 8 steps of as many comparisons, the whole one comes "
    "to with less than 1 times as many, on average over 12 worlds.",
    source=f"{_SOURCE}: fewer queries to a threshold",
)
def fewer_queries_to_a_threshold(make: Make, seed: int) -> Measurement:
    shares = []
    for number in range(2 * _WORLDS):
        problem, reward = _problem(seed + 10 * number)
        whole, direct = (_heights(make, problem, reward, implicit=implicit) for implicit in (True, False))
        first = direct.index(max(direct))
        # One that never comes there is counted as one step late.
        reached = next((step for step, height in enumerate(whole) if height >= direct[first]), _STEPS + 1)
        # The start is asked about too.
        shares.append((reached + 1) / (first + 1))
    return below(1.0, shares, "share of the comparisons")


@claim(
    method="parl",
    statement="From 20 000 comparisons of drawn trajectories, with a baseline, it points where the exact one does: "
    "the cosine is above 0.95, on average over 6 worlds.",
    source=f"{_SOURCE}: policy-gradient estimators of every part",
)
def samples_estimate_it(make: Make, seed: int) -> Measurement:
    cosines = []
    for number in range(_WORLDS):
        problem, reward = _problem(seed + 10 * number)
        policy = problem.best(reward)
        generator = torch.Generator().manual_seed(seed + number)
        found = problem.sampled(reward, policy, 20_000, generator, rollouts=5_000, solver=make, damping=1e-3).whole
        exact = _slopes(problem, reward)
        cosines.append(float((found * exact).sum() / (found.norm() * exact.norm())))
    return above(0.95, cosines, "cosine")
