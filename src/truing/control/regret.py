"""Preferences as comparisons of regret (2206.02231): people prefer better decisions, not more reward on the way.

The regret of a segment is what its decisions lost against the best ones: minus the sum of optimal advantages. The
usual model compares partial returns, the rewards inside the segments alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from truing.control.method import control
from truing.control.segments import SegmentPairs, Segments
from truing.errors import DataError, ObjectiveError
from truing.registry import Paper
from truing.worlds.mdp import MDP, greedy, optimal_values, soft_values

Statistic = Literal["regret", "partial-return"]


def partial_return(world: MDP, segments: Segments) -> Float[Tensor, " segments"]:
    """Σ_t gamma^t R(s_t, a_t)."""
    return segments.discounted(world.rewards, world.gamma)


def regret(
    world: MDP, segments: Segments, values: Float[Tensor, " states"] | None = None
) -> Float[Tensor, " segments"]:
    """Σ_t gamma^t [V*(s_t) − Q*(s_t, a_t)], at least 0; 0 where every decision is a best one.

    Args:
        world: with its rewards.
        segments: to be judged. Where transitions are certain this is V*(s_0) − Σ_t gamma^t r_t − gamma^L V*(s_L).
        values: V*, or a smooth stand-in; worked out if left out.
    """
    best = optimal_values(world) if values is None else values
    return segments.discounted(best[:, None] - world.q_values(best), world.gamma)


def log_odds(statistic: Statistic, world: MDP, pairs: SegmentPairs) -> Float[Tensor, " pairs"]:
    """Log-odds that the first segment is preferred under a model of preferences, by exact optimal values."""
    if statistic == "partial-return":
        return partial_return(world, pairs.first) - partial_return(world, pairs.second)
    best = optimal_values(world)
    return regret(world, pairs.second, best) - regret(world, pairs.first, best)


@dataclass(frozen=True)
class LearnedReward:
    """A reward that explains comparisons.

    Attributes:
        weights: of the features.
        rewards: R[s, a].
        policy: the best one for this reward.
        losses: mean cross-entropy over the steps, nats.
    """

    weights: Float[Tensor, " features"]
    rewards: Float[Tensor, "states actions"]
    policy: Float[Tensor, "states actions"]
    losses: tuple[float, ...]


@control(
    name="regret-preference",
    slug="regret-preference",
    paper=Paper("Models of human preference for learning reward functions", 2022, "2206.02231"),
    summary="Learns a reward from compared segments of behaviour, assuming that people prefer the smaller regret.",
    formula="P(1 above 2) = σ(reg(2) − reg(1));  reg = Σ_t gamma^t [V*(s_t) − Q*(s_t, a_t)]",
    legend=(
        "reg: regret of a segment: what its decisions lost against the best ones",
        "V*, Q*: optimal values of states and of actions, recomputed as the reward changes",
        "gamma: discount",
    ),
    use_when="People judge pieces of behaviour in a world whose transitions are known or can be counted, above all "
    "where pieces start in different states, differ in length, or depend on luck.",
    avoid_when="Nothing is known of what actions lead to, or what was compared are answers of a language model: "
    "bradley-terry fits those.",
    requires=("segments", "transitions"),
    cost="a few linear solves of the number of states at every step",
    aliases=("regret",),
)
def regret_preference(
    world: MDP,
    pairs: SegmentPairs,
    features: Float[Tensor, "states actions features"] | None = None,
    *,
    statistic: Statistic = "regret",
    steps: int = 150,
    rate: float = 0.1,
    start: float = 1.0,
    end: float = 0.05,
    decay: float = 1e-3,
) -> LearnedReward:
    """Minimise the cross-entropy of the labels over a reward that is linear in features.

    Optimal values are soft ones, T log Σ exp(Q / T), whose T falls from ``start`` to ``end``: exact and smooth at
    every step, and near the hard ones at the end.

    Args:
        world: transitions, discount and ends; its rewards are not read.
        pairs: comparisons.
        features: of states and actions; one for each pair of them if left out.
        statistic: what people are taken to compare.
        steps, rate: of Adam.
        start, end: temperature T, units of reward.
        decay: weight of the squared norm of the weights, which keeps a reward that explains everything finite.

    Raises:
        DataError: if a segment names a state or an action that the world lacks, or shapes disagree.
        ObjectiveError: if a setting is out of bounds.
    """
    _check(world, pairs, statistic, steps, start, end)
    table = _features(world, features)
    weights = torch.zeros(table.shape[2], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=rate)
    losses = []
    for step in range(steps):
        own = world.with_rewards(table @ weights)
        if statistic == "regret":
            temperature = start * (end / start) ** (step / max(1, steps - 1))
            best = soft_values(own, temperature)
            gap = regret(own, pairs.second, best) - regret(own, pairs.first, best)
        else:
            gap = partial_return(own, pairs.first) - partial_return(own, pairs.second)
        loss = functional.binary_cross_entropy_with_logits(gap, pairs.preferred)
        optimiser.zero_grad()
        (loss + decay * weights.square().sum()).backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    found = weights.detach()
    learned = world.with_rewards(table @ found)
    return LearnedReward(found, learned.rewards, greedy(learned, optimal_values(learned)), tuple(losses))


def successor_features(
    world: MDP,
    features: Float[Tensor, "states actions features"],
    policy: Float[Tensor, "states actions"],
) -> Float[Tensor, "states features"]:
    """Ψ(s) = E[Σ_t gamma^t φ(s_t, a_t)] under a policy, so that its value is Ψ(s)·w for every reward φ·w."""
    going = (~world.terminal).to(features.dtype)
    gained = torch.einsum("sa,saf->sf", policy, features) * going[:, None]
    flow = torch.einsum("sa,sat->st", policy, world.transitions.to(features.dtype)) * going[:, None] * going[None]
    found: Tensor = torch.linalg.solve(torch.eye(world.states, dtype=features.dtype) - world.gamma * flow, gained)
    return found


def pooled_values(
    pool: Float[Tensor, "policies states features"], sharpness: float
) -> Callable[[Float[Tensor, " features"]], Float[Tensor, " states"]]:
    """V~(s; w) = Σ_π softmax_π(sharpness · Ψ_π(s)·w) Ψ_π(s)·w: at most V*, for where transitions cannot be solved."""

    def values(weights: Float[Tensor, " features"]) -> Float[Tensor, " states"]:
        each = pool @ weights
        return (torch.softmax(sharpness * each, 0) * each).sum(0)

    return values


def counted_world(pairs: SegmentPairs, gamma: float, terminal: tuple[int, ...] = ()) -> MDP:
    """Transitions as shares of what followed in the segments; what was never tried stays where it is.

    Raises:
        DataError: if no segment visits a state that is said to be an end.
    """
    segments = (pairs.first, pairs.second)
    states = 1 + max(int(own.states.max()) for own in segments)
    unknown = [state for state in terminal if not 0 <= state < states]
    if unknown:
        raise DataError(f"no segment visits the state {unknown[0]}", allowed=f"0 to {states - 1}")
    actions = 1 + max(int(own.actions.max()) for own in segments)
    counts = torch.zeros(states, actions, states, dtype=torch.float64)
    for own in segments:
        place = own.there
        counts.index_put_(
            (own.states[:, :-1][place], own.actions[place], own.states[:, 1:][place]),
            torch.ones((), dtype=torch.float64),
            accumulate=True,
        )
    stays = torch.eye(states, dtype=torch.float64)[:, None].expand(-1, actions, -1)
    counts = torch.where(counts.sum(2, keepdim=True) > 0, counts, stays)
    rewards = torch.zeros(states, actions, dtype=torch.float64)
    return MDP.of(counts / counts.sum(2, keepdim=True), rewards, gamma, terminal=terminal)


def _features(world: MDP, features: Tensor | None) -> Float[Tensor, "states actions features"]:
    if features is None:
        count = world.states * world.actions
        return torch.eye(count, dtype=torch.float64).reshape(world.states, world.actions, count)
    if tuple(features.shape[:2]) != (world.states, world.actions):
        raise DataError(
            f"features have the shape {tuple(features.shape)}",
            allowed=f"[{world.states}, {world.actions}, number of features]",
        )
    return features.double()


def _check(world: MDP, pairs: SegmentPairs, statistic: str, steps: int, start: float, end: float) -> None:
    if statistic not in ("regret", "partial-return"):
        raise ObjectiveError(f"unknown statistic {statistic!r}", allowed="regret, partial-return")
    if steps < 1 or not 0 < end <= start:
        raise ObjectiveError(
            f"{steps} steps at temperatures from {start:g} to {end:g}", allowed="steps >= 1, 0 < end <= start"
        )
    for own in (pairs.first, pairs.second):
        for what, given, most in (("state", own.states, world.states), ("action", own.actions, world.actions)):
            if int(given.max()) >= most:
                raise DataError(f"a segment names the {what} {int(given.max())}", allowed=f"0 to {most - 1}")
