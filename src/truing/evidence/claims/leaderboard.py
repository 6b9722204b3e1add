"""Leaderboards by Bradley-Terry with control of length, and win rates at equal length (2404.04475)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.judging.items import Item
from truing.judging.leaderboard.board import Board
from truing.judging.leaderboard.elo import elo
from truing.judging.leaderboard.games import Games
from truing.judging.leaderboard.length_controlled import length_controlled
from truing.judging.presentation import Pair
from truing.judging.verdict import Opinion
from truing.worlds.leaderboards import arena

Leaderboard = Callable[..., Board]

METHOD = "bt-leaderboard"
_SOURCE = "catalogue, bt-leaderboard: evidence"
_RUNS, _GAMES = 12, 1500


@claim(
    method=METHOD,
    statement="From the expected outcome of every pair the strengths come back: largest distance 0, below 1e-6 nats.",
    source=f"{_SOURCE}; maximum likelihood at the true shares",
)
def expected_outcomes_give_back_strengths(board: Leaderboard, seed: int) -> Measurement:
    world = arena(seed)
    found = board(world.expected())
    return equals(0.0, float(np.abs(_theta(found) - world.theta).max()), 1e-6, "nats")


@claim(
    method=METHOD,
    statement="Where a judge likes long answers and weak models write them, strengths with length controlled lie "
    "within 2 standard errors of the true ones in more than 0.85 of all cases (5 models, 12 runs of 1,500 games).",
    source=_SOURCE,
)
def controlled_strengths_are_recovered(board: Leaderboard, seed: int) -> Measurement:
    within = []
    for number in range(_RUNS):
        world = arena(_RUNS * seed + number)
        found = board(world.games(np.random.default_rng(_RUNS * seed + number), _GAMES))
        error = np.sqrt(np.diag(found.covariance))
        within += (np.abs(_theta(found) - world.theta) < 2 * error).tolist()
    return above(0.85, float(np.mean(within)), "share")


@claim(
    method=METHOD,
    statement="In the same games plain strengths are biased by length: their root mean square distance from the true "
    "ones is above 3 times that with length controlled.",
    source=_SOURCE,
)
def plain_strengths_are_biased(board: Leaderboard, seed: int) -> Measurement:
    plain, held = [], []
    for number in range(_RUNS // 2):
        world = arena(_RUNS * seed + number)
        games = world.games(np.random.default_rng(_RUNS * seed + number), _GAMES)
        bare = replace(games, features=games.features[:, :0], feature_names=())
        plain.append(np.mean(np.square(_theta(board(bare)) - world.theta)))
        held.append(np.mean(np.square(_theta(board(games)) - world.theta)))
    return above(3.0, math.sqrt(float(np.mean(plain) / np.mean(held))), "ratio")


@claim(
    method=METHOD,
    statement="Exchanging the sides of all games, or their order, changes no strength: largest change 0, below 1e-8 "
    "nats, where Elo moves by more than 1 point.",
    source=f"{_SOURCE}: antisymmetry exact, invariant to row order, Elo not",
)
def sides_and_order_do_not_matter(board: Leaderboard, seed: int) -> Measurement:
    generator = np.random.default_rng(seed)
    games = arena(seed).games(generator, 400)
    shuffled = games.taken(generator.permutation(len(games)))
    own = _theta(board(games))
    moved = max(float(np.abs(_theta(board(other)) - own).max()) for other in (games.turned(), shuffled))
    jumped = float(np.abs(elo(games, orders=0).played - elo(shuffled, orders=0).played).max())
    return equals(0.0, moved if jumped > 1 else math.nan, 1e-8, "nats", elo=jumped)


@claim(
    method=METHOD,
    statement="Davidson's model gives back how likely ties are: ν = 0.8 is found within 0.1 in 4,000 games.",
    source="Davidson 1970: P(tie) = ν √(P(win) P(loss))",
)
def ties_have_their_own_parameter(board: Leaderboard, seed: int) -> Measurement:
    games = arena(seed).games(np.random.default_rng(seed), 4000, ties=0.8)
    return equals(0.8, board(games, ties="davidson").tie or math.nan, 0.1, "odds")


@claim(
    method=METHOD,
    statement="Win rates at equal length are antisymmetric, LC(m, b) + LC(b, m) = 1 and LC(b, b) = 0.5: largest error "
    "0, while a model that only writes more loses more than 0.05 of its win rate.",
    source="2404.04475; catalogue, bt-leaderboard: LC must satisfy",
)
def length_controlled_is_antisymmetric(board: Leaderboard, seed: int) -> Measurement:
    found = length_controlled(_wordy(seed))
    names = found.names
    errors = [abs(found.win_rate(one, other) + found.win_rate(other, one) - 1) for one in names for other in names]
    errors += [abs(found.win_rate(name, name) - 0.5) for name in names]
    lost = float(found.raw[names.index("wordy")]) - found.win_rate("wordy", "base")
    # The same in the leaderboard, whose chances are of answers with features alike.
    games = Games.of(*_outcomes(seed))
    own = board(games, ridge=0.01)
    errors.append(abs(own.chance("wordy", "base") + own.chance("base", "wordy") - 1))
    return equals(0.0, max(errors) if lost > 0.05 else math.nan, 1e-15, "share", lost=lost)


def _theta(board: Board) -> np.ndarray:
    return board.theta


def _wordy(seed: int, prompts: int = 80) -> list[Item]:
    """Two models as good as the baseline, of which one writes three times as much; the judge likes length."""
    generator = np.random.default_rng(seed)
    items = []
    for name, factor in (("wordy", 3.0), ("plain", 1.0)):
        for number in range(prompts):
            base, own = (int(generator.integers(20, 60)) for _ in range(2))
            own = int(own * factor)
            chance = 1 / (1 + math.exp(-(own - base) / 40))
            pair = Pair(f"q{number}", "x" * base, "y" * own)
            items.append(Item(pair, models=("base", name), recorded=Opinion(float(generator.random() > chance))))
    return items


def _outcomes(seed: int) -> tuple[list[tuple[str, str]], list[float]]:
    items = _wordy(seed)
    return (
        [item.models for item in items if item.models],
        [float(item.recorded.first or 0.0) for item in items],
    )
