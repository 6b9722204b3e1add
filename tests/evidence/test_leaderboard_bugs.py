"""Claims about leaderboards fail on planted bugs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.judging.leaderboard.likelihood import Davidson
from truing.judging.protocols import bt_leaderboard


def no_control(board):
    return lambda games, **k: board(replace(games, features=games.features[:, :0], feature_names=()), **k)


def always_controlled(board):
    """A feature that is there is used, even where it was left out: all games alike."""

    def run(games, **k):
        return board(replace(games, features=np.zeros((len(games), 0)), feature_names=()), ridge=50.0)

    return run


def heavy_ridge(board):
    return lambda games, **k: board(games, **{**k, "ridge": 20.0})


def first_game_counts_more(board):
    """Like Elo, later games weigh more: the last half is counted twice."""
    return lambda games, **k: board(games.taken(np.r_[np.arange(len(games)), np.arange(len(games) // 2)]), **k)


def ties_dropped(board):
    def run(games, **k):
        found = board(games, **k)
        return replace(found, tie=None)

    return run


def a_tie_by_the_odds_of_a_win(board):
    """ν without the root of both sides: half of it."""

    def run(games, **k):
        found = board(games, **k)
        return replace(found, tie=found.tie and found.tie / 2)

    return run


def one_sided(board):
    """Chances of a model that is named first."""

    def run(games, **k):
        found = board(games, **k)
        return replace(found, theta=_Growing(found.theta))

    return run


class _Growing(np.ndarray):
    """Strengths that grow whenever they are read."""

    def __new__(cls, values):
        found = np.asarray(values).view(cls)
        found.reads = 0
        return found

    def __getitem__(self, key):
        self.reads = getattr(self, "reads", 0) + 1
        return np.asarray(self)[key] + 0.01 * self.reads


BUGS = {
    "bt-leaderboard/controlled-strengths-are-recovered": [no_control],
    "bt-leaderboard/expected-outcomes-give-back-strengths": [heavy_ridge],
    "bt-leaderboard/length-controlled-is-antisymmetric": [one_sided],
    "bt-leaderboard/plain-strengths-are-biased": [no_control, always_controlled],
    "bt-leaderboard/sides-and-order-do-not-matter": [first_game_counts_more],
    "bt-leaderboard/ties-have-their-own-parameter": [ties_dropped, a_tie_by_the_odds_of_a_win],
}


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug) -> None:
    must_fail(name, bug, bug(bt_leaderboard))


def test_every_claim_has_a_bug() -> None:
    assert claims_of("bt-leaderboard") == set(BUGS)


def test_davidson_has_one_parameter_more() -> None:
    assert Davidson().extra == 1
