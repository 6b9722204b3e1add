"""Elo ratings, for comparison: they depend on the order in which games are played."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from truing.errors import TruingError
from truing.judging.leaderboard.games import Games


@dataclass(frozen=True)
class Elo:
    """Ratings.

    Attributes:
        played: after the games in their own order, ``[models]``.
        mean, spread: mean and standard deviation over orders that were shuffled, ``[models]``.
    """

    played: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def elo(games: Games, k: float = 16.0, *, start: float = 1000.0, orders: int = 20, seed: int = 0) -> Elo:
    """R_a += k (s − 1/(1 + 10^((R_b − R_a)/400))), game by game; R_b loses as much.

    Args:
        games: in the order in which they are played.
        k: points that a game can move, 4 to 32 usually.
        start: rating before the first game.
        orders: how many orders are drawn besides.
        seed: of the orders.

    Raises:
        TruingError: if k is not above 0.
    """
    if not k > 0:
        raise TruingError(f"k = {k:g} moves no rating", where="k", allowed="above 0")
    generator = np.random.default_rng(seed)
    drawn = [_played(games, generator.permutation(len(games)), k, start) for _ in range(orders)]
    table = np.array(drawn).reshape(orders, len(games.names))
    played = _played(games, np.arange(len(games)), k, start)
    nothing = np.full(len(games.names), np.nan)
    return Elo(played, table.mean(0) if orders else nothing, table.std(0) if orders else nothing)


def _played(games: Games, order: np.ndarray, k: float, start: float) -> np.ndarray:
    rating = [start] * len(games.names)
    left, right, outcome = games.a.tolist(), games.b.tolist(), games.outcome.tolist()
    for game in order.tolist():
        one, other = left[game], right[game]
        expected = 1 / (1 + 10 ** ((rating[other] - rating[one]) / 400))
        move = k * (outcome[game] - expected)
        rating[one] += move
        rating[other] -= move
    return np.array(rating)
