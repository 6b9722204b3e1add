"""Ratings by Bradley-Terry, ties, intervals, Elo, graphs of games."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from truing.errors import DataError, TruingError
from truing.judging.items import Item
from truing.judging.leaderboard import Games, bt_leaderboard, elo, games_of
from truing.judging.leaderboard.board import POINTS
from truing.judging.leaderboard.games import difference
from truing.judging.leaderboard.likelihood import Davidson, HalfWins
from truing.judging.presentation import Pair
from truing.judging.verdict import UNREAD, Opinion
from truing.worlds.leaderboards import arena

TWO = Games.of([("x", "y")] * 4, [1, 1, 1, 0])


def test_two_models_by_hand() -> None:
    """Three of four: θ_x − θ_y = log 3, and the rating 400/ln 10 · log(3)/2 above the mean."""
    board = bt_leaderboard(TWO)
    assert [row.name for row in board.rows] == ["x", "y"]
    assert board.rows[0].theta - board.rows[1].theta == pytest.approx(math.log(3))
    assert board.rows[0].rating.value == pytest.approx(1000 + POINTS * math.log(3) / 2)
    assert board.chance("x", "y") == pytest.approx(0.75)
    assert (board.rows[0].win_rate.value, board.rows[0].games) == (0.75, 4)


def test_a_tie_is_half_a_win_and_half_a_loss() -> None:
    halves = bt_leaderboard(Games.of([("x", "y")] * 2, [1, 0.5]))
    assert halves.chance("x", "y") == pytest.approx(0.75)


def test_davidson_by_hand() -> None:
    """Equals, 2 wins each and 4 ties: ν = 4/√(2·2) = 2."""
    board = bt_leaderboard(Games.of([("x", "y")] * 8, [1, 1, 0, 0, 0.5, 0.5, 0.5, 0.5]), ties="davidson")
    assert board.tie == pytest.approx(2.0)
    assert board.theta == pytest.approx([0, 0], abs=1e-9)


def test_against_another_fit_and_its_cluster_covariance() -> None:
    """The same regression by statsmodels, one model left out in place of a sum of 0."""
    games = arena(0).games(np.random.default_rng(0), 600)
    board = bt_leaderboard(games)
    kept = np.delete(games.design, 0, axis=1)
    other = sm.GLM(games.outcome, kept, family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": games.prompt}
    )
    gaps = board.theta[1:] - board.theta[0]
    assert gaps == pytest.approx(other.params[: len(gaps)], abs=1e-6)
    spread = [board.covariance[i, i] + board.covariance[0, 0] - 2 * board.covariance[0, i] for i in range(1, 5)]
    # statsmodels corrects for the number of coefficients as well: (n − 1)/(n − k).
    size = (len(games) - 1) / (len(games) - kept.shape[1])
    assert np.array(spread) * size == pytest.approx(np.diag(other.cov_params())[:4], rel=1e-3)
    assert board.effects["length"].value == pytest.approx(other.params[-1], abs=1e-6)


def test_a_bootstrap_agrees_with_the_sandwich() -> None:
    games = arena(1).games(np.random.default_rng(1), 500)
    one, other = bt_leaderboard(games), bt_leaderboard(games, resamples=120, seed=2)
    assert other.theta == pytest.approx(one.theta)
    ratio = np.sqrt(np.diag(other.covariance) / np.diag(one.covariance))
    assert np.all((ratio > 0.75) & (ratio < 1.35))


@given(seed=st.integers(0, 1000))
def test_derivatives_are_those_of_the_likelihood(seed: int) -> None:
    generator = np.random.default_rng(seed)
    gap, step = generator.normal(size=6), 1e-5
    outcome = generator.choice([0.0, 0.5, 1.0], 6)
    for likelihood in (HalfWins(), Davidson()):
        extra = generator.normal(size=likelihood.extra)
        _, first, second = likelihood(gap, extra, outcome)
        up, down = likelihood(gap + step, extra, outcome), likelihood(gap - step, extra, outcome)
        assert (up[0] - down[0]) / (2 * step) == pytest.approx(first[:, 0], abs=1e-6)
        assert -(up[1] - down[1]) / (2 * step) == pytest.approx(second[:, :, 0], abs=1e-6)


def test_places_leave_room_for_doubt() -> None:
    """Two of three never told apart share first place."""
    board = bt_leaderboard(
        Games.of([("x", "y"), ("y", "x"), *[("x", "z"), ("y", "z")] * 30], [1, 1, *[1] * 48, *[0] * 12])
    )
    places = {row.name: (row.place, row.last) for row in board.rows}
    assert places["z"] == (3, 3)
    assert bt_leaderboard(TWO).rows[0].last == 2


def test_what_cannot_be_rated() -> None:
    with pytest.raises(DataError, match="there are no games with an outcome"):
        bt_leaderboard(Games.of([("x", "y")], [math.nan]))
    with pytest.raises(DataError, match="no games link p, q with x, y") as error:
        bt_leaderboard(Games.of([("x", "y"), ("p", "q")], [0.5, 0.5]))
    assert error.value.where == "2 groups of models"
    with pytest.raises(DataError, match="ratings are infinite") as error:
        bt_leaderboard(Games.of([("x", "y")] * 3, [1, 1, 1]))
    for resamples in (0, 20):
        with pytest.raises(DataError, match="all games are on one prompt"):
            bt_leaderboard(Games.of([("x", "y")] * 4, [1, 1, 1, 0], ["q"] * 4), resamples=resamples)
    assert "--ridge" in str(error.value.fix)
    with pytest.raises(DataError, match="graded outcomes are no ties"):
        bt_leaderboard(Games.of([("x", "y")] * 2, [0.3, 0.8]), ties="davidson")
    with pytest.raises(DataError, match="there are no ties to fit"):
        bt_leaderboard(TWO, ties="davidson")
    with pytest.raises(TruingError, match="ridge = -1"):
        bt_leaderboard(TWO, ridge=-1)
    with pytest.raises(DataError, match="plays against itself"):
        Games.of([("x", "x")], [1])
    with pytest.raises(DataError, match="is not a share of a win"):
        Games.of([("x", "y")], [1.5])


def test_a_ridge_holds_who_never_lost() -> None:
    """θ_x = −θ_y = t with 2 σ(−2t)... the slope 3 σ(−2t) equals ridge · t for each: t = 1.07 at ridge 1/3."""
    board = bt_leaderboard(Games.of([("x", "y")] * 3, [1, 1, 1]), ridge=1 / 3)
    t = board.rows[0].theta
    assert 3 / (1 + math.exp(2 * t)) == pytest.approx(t / 3)


def test_games_of_items() -> None:
    def item(a: str, b: str, said: Opinion) -> Item:
        return Item(Pair("q", a, b), models=("m", "n"), recorded=said)

    games = games_of(
        [item("xx", "x", Opinion(1.0)), item("x", "xxx", UNREAD), item("y", "yyy", Opinion(0.2))], ["length"]
    )
    assert (len(games), games.dropped, games.names) == (2, 1, ("m", "n"))
    # (2 − 1)/3 and (1 − 3)/4, over the root mean square of all three differences.
    spread = math.sqrt((1 / 9 + 1 / 4 + 1 / 4) / 3)
    assert games.features[:, 0] == pytest.approx([1 / 3 / spread, -1 / 2 / spread])
    assert games.prompt.tolist() == [0, 0]
    with pytest.raises(DataError, match="does not say which models"):
        games_of([Item(Pair("q", "a", "b"))])


def test_styles_by_hand() -> None:
    assert difference("lists", "- a\n- b\n", "1. c\n") == pytest.approx(1 / 3)
    assert difference("bold", "**x** and **y**", "plain") == 1.0
    assert difference("headers", "plain", "plain") == 0.0


def test_elo_by_hand() -> None:
    """Equals: the winner takes k/2 = 8; then 1/(1 + 10^(16/400)) = 0.477 is expected of the other."""
    found = elo(Games.of([("x", "y"), ("x", "y")], [1, 0]), 16, orders=0)
    expected = 1 / (1 + 10 ** (-16 / 400))
    assert found.played.tolist() == pytest.approx([1008 - 16 * expected, 992 + 16 * expected])
    assert found.played.sum() == pytest.approx(2000)
    with pytest.raises(TruingError, match="moves no rating"):
        elo(TWO, 0)


def test_games_on_one_prompt_count_as_one_in_the_win_rate() -> None:
    """Three wins on one prompt, a win and a loss on others: (1 + 1 + 0)/3, of three prompts, within 0 and 1."""
    games = Games.of([("x", "y")] * 5, [1, 1, 1, 1, 0], ["p", "p", "p", "q", "r"])
    first, second = bt_leaderboard(games).rows
    assert first.win_rate.value == pytest.approx(2 / 3)
    assert second.win_rate.value == pytest.approx(1 / 3)
    assert first.win_rate.n == 3
    assert 0 <= first.win_rate.low < first.win_rate.high <= 1
    # All won, or all lost: Wilson's interval of two prompts, and none of no width or beyond 1.
    best = bt_leaderboard(Games.of([("x", "y")] * 2, [1, 1]), ridge=0.1).rows[0].win_rate
    assert (best.value, best.high) == (1.0, 1.0)
    assert best.low < 0.4
