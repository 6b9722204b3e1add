"""What comparisons of segments tell about a reward: regret and partial return (2206.02231)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from truing.control.regret import LearnedReward, Statistic, log_odds, regret
from truing.control.segments import SegmentPairs, Segments
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.worlds.gridworlds import Grid, grid, walks
from truing.worlds.mdp import MDP, greedy, optimal_values, policy_values

Learn = Callable[..., LearnedReward]
WORLDS, PAIRS, STEPS = 10, 100, 40
PAPER = "2206.02231, sections 3 and 4"


def _all_pairs(segments: Segments, world: MDP, statistic: Statistic) -> SegmentPairs:
    """Every segment against every other, labelled without noise; equal ones are undecided."""
    first, second = (~torch.eye(len(segments), dtype=torch.bool)).nonzero().unbind(1)
    unlabelled = SegmentPairs(segments.rows(first), segments.rows(second), torch.zeros(len(first)).double())
    odds = log_odds(statistic, world, unlabelled)
    return replace(unlabelled, preferred=((odds > 1e-9).double() + 0.5 * (odds.abs() <= 1e-9)))


def _share_right(world: MDP, policy: Tensor, states: list[int]) -> float:
    """Probability of a best action, least over some states."""
    best = greedy(world, optimal_values(world)) > 0
    return float((policy * best).sum(1)[states].min())


def _lottery(loss: float) -> MDP:
    """Safe, or a draw between a win of 1 and a loss; states: start, win, loss, safe, end."""
    moves = torch.zeros(5, 2, 5, dtype=torch.float64)
    moves[0, 0, 3] = 1
    moves[0, 1, 1] = moves[0, 1, 2] = 0.5
    moves[1:4, :, 4] = 1
    rewards = torch.zeros(5, 2, dtype=torch.float64)
    rewards[1], rewards[2] = 1.0, -loss
    return MDP.of(moves, rewards, 0.99, terminal=[4])


@claim(
    method="regret-preference",
    statement="A win or a loss by chance, of 1 and of 0.5 or 2: noiseless comparisons of partial returns are the same "
    "in both worlds, whose best actions differ, and comparisons of regret lead to the best action in 2 of 2.",
    source=PAPER + "; catalogue, regret-preference: stochastic two-arm process",
)
def chance_misleads_partial_returns(learn: Learn, seed: int) -> Measurement:
    worlds = [_lottery(0.5), _lottery(2.0)]
    segments = Segments.of([[0, 3, 4], [0, 1, 4], [0, 2, 4]], [[0, 0], [1, 0], [1, 0]])
    features = torch.zeros(5, 2, 3, dtype=torch.float64)
    features[1:4] = torch.eye(3, dtype=torch.float64)[:, None]
    right = {}
    for statistic in ("regret", "partial-return"):
        labelled = [_all_pairs(segments, world, statistic) for world in worlds]
        right[statistic] = sum(
            _share_right(world, learn(world, pairs, features, statistic=statistic, steps=80).policy, [0]) > 0.99
            for world, pairs in zip(worlds, labelled, strict=True)
        )
        if statistic == "partial-return" and not torch.equal(labelled[0].preferred, labelled[1].preferred):
            return equals(2.0, float("nan"), 0.0, "worlds")
    return equals(2.0, right["regret"] if right["partial-return"] < 2 else float("nan"), 0.0, "worlds", **right)


@claim(
    method="regret-preference",
    statement="A constant of 2 on every reward leaves comparisons of partial returns of equal length as they are, and "
    "makes it best never to end: comparisons of regret lead to the best action in both worlds, with probability 1.",
    source="catalogue, regret-preference: exact non-identifiability of a constant",
)
def constants_do_not_show_in_partial_returns(learn: Learn, seed: int) -> Measurement:
    moves = torch.zeros(3, 2, 3, dtype=torch.float64)
    for state in range(2):
        moves[state, 0, state] = moves[state, 1, state + 1] = 1
    rewards = torch.tensor([[-1.0, -1.0], [-0.5, -0.5], [0.0, 0.0]], dtype=torch.float64)
    worlds = [MDP.of(moves, rewards + constant, 0.9, terminal=[2]) for constant in (0.0, 2.0)]
    segments = Segments.of([[0, 0], [0, 1], [1, 1], [1, 2]], [[0], [1], [0], [1]])
    labels = [_all_pairs(segments, world, "partial-return").preferred for world in worlds]
    if not torch.equal(*labels):
        return equals(1.0, float("nan"), 0.0, "probability")
    found = [
        _share_right(world, learn(world, _all_pairs(segments, world, "regret"), steps=80).policy, [0, 1])
        for world in worlds
    ]
    return equals(1.0, min(found), 1e-9, "probability")


@cache
def _compared(number: int) -> tuple[Grid, SegmentPairs, SegmentPairs]:
    """A grid whose steps may slip, comparisons by regret to learn from, and as many others with the same noise."""
    own = grid(number, side=4, slip=0.3)
    parts = []
    for half in range(2):
        first, second = (walks(own.world, PAIRS, 4, 7 * number + 2 * half + side, vary=True) for side in range(2))
        unlabelled = SegmentPairs(first, second, torch.zeros(PAIRS).double())
        chance = torch.sigmoid(5 * log_odds("regret", own.world, unlabelled))
        draw = torch.Generator().manual_seed(number + 1000 * half)
        chosen = (torch.rand(PAIRS, generator=draw, dtype=torch.float64) < chance).double()
        parts.append(replace(unlabelled, preferred=chosen))
    return own, parts[0], parts[1]


def _scaled_return(world: MDP, policy: Tensor) -> float:
    """0 for acting at random, 1 for the best policy."""
    chance = torch.full((world.states, world.actions), 1 / world.actions, dtype=torch.float64)
    reached, least, most = (
        float(world.expected_return(values))
        for values in (policy_values(world, policy), policy_values(world, chance), optimal_values(world))
    )
    return (reached - least) / (most - least)


@claim(
    method="regret-preference",
    statement="From 100 comparisons by regret in grids whose steps slip, of segments of one to four steps, its policy "
    "reaches more than 0.99 of what the best one gains over acting at random, and that of partial returns less.",
    source=PAPER + "; catalogue, regret-preference: gridworlds, variable horizon",
)
def reaches_what_can_be_gained(learn: Learn, seed: int) -> Measurement:
    found: dict[str, list[float]] = {"regret": [], "partial-return": []}
    for number in range(100 * seed, 100 * seed + WORLDS):
        own, known, _ = _compared(number)
        for statistic, reached in found.items():
            learned = learn(own.world, known, own.features, statistic=statistic, steps=STEPS, rate=0.2)
            reached.append(_scaled_return(own.world, learned.policy))
    means = {f"{name.replace('-', '_')}_reaches": sum(values) / len(values) for name, values in found.items()}
    better = means["regret_reaches"] > means["partial_return_reaches"]
    return above(0.99, found["regret"] if better else [float("nan")] * 2, "share", **means)


@claim(
    method="regret-preference",
    statement="What it has learned predicts new comparisons by regret better than a fit of partial returns does: mean "
    "cross-entropy is lower by more than 0.05 nats.",
    source=PAPER + ": a better fit to how people compare",
)
def predicts_new_comparisons(learn: Learn, seed: int) -> Measurement:
    differences = []
    for number in range(100 * seed, 100 * seed + WORLDS):
        own, known, new = _compared(number)
        losses = []
        for statistic in ("regret", "partial-return"):
            learned = learn(own.world, known, own.features, statistic=statistic, steps=STEPS, rate=0.2)
            odds = log_odds(statistic, own.world.with_rewards(learned.rewards), new)
            losses.append(float(functional.binary_cross_entropy_with_logits(odds, new.preferred)))
        differences.append(losses[0] - losses[1])
    return below(-0.05, differences, "nats")


@claim(
    method="regret-preference",
    statement="The policy that it learns has a regret of 0 under the reward that it learns, in every state.",
    source="2206.02231, equation 4: regret is minus the sum of optimal advantages",
)
def learned_policies_have_no_regret(learn: Learn, seed: int) -> Measurement:
    own, known, _ = _compared(100 * seed)
    learned = learn(own.world, known, own.features, steps=STEPS, rate=0.2)
    world = own.world.with_rewards(learned.rewards)
    states = (~world.terminal).nonzero()[:, 0].tolist()
    steps = [(state, int(learned.policy[state].argmax())) for state in states]
    single = Segments.of([[s, int(world.transitions[s, a].argmax())] for s, a in steps], [[a] for _, a in steps])
    # A reward that is the same everywhere would make every policy a best one.
    known_reward = float(learned.rewards.std()) > 0.01
    return equals(0.0, float(regret(world, single).abs().max()) if known_reward else float("nan"), 1e-6, "reward")
