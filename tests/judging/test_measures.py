"""What verdicts come to: win rates, consistency, position bias, agreement."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from tests.judging.judges import Saying
from truing.errors import TruingError
from truing.judging.bench import PROTOCOLS, Bench
from truing.judging.measures import agreement, bootstrapped, comparison, first_place
from truing.judging.merging import conservative, soft
from truing.judging.presentation import ORDERS, Pair
from truing.judging.verdict import UNREAD, Opinion


def _merged(*orders):
    return [conservative(ORDERS, [Opinion(one) if one is not None else UNREAD for one in both]) for both in orders]


def test_a_comparison_by_hand() -> None:
    """Two wins, a loss, a contradiction, and one of which one order could not be read: (2 + 0.5)/4 = 0.625."""
    found = comparison(_merged((1, 0), (1, 0), (0, 1), (1, 1), (1, None)), list("abcde"))
    assert (found.wins, found.losses, found.ties, found.none) == (2, 1, 1, 1)
    assert (found.unread, found.asked) == (1, 10)
    assert found.win_rate.value == pytest.approx(0.625)
    assert found.win_rate.n == 4
    assert (found.consistency.value, found.consistency.n) == (0.75, 4)
    assert (found.position_bias.value, found.position_bias.n) == (1.0, 1)


def test_position_bias_has_a_sign() -> None:
    """Second, second: −1. First, tie: one half."""
    found = comparison(_merged((0, 0), (1, 0.5)), ["a", "b"])
    assert found.position_bias.value == pytest.approx((-1 + 0.5) / 2)
    assert (found.position_bias.low, found.position_bias.high) == (-1.0, 1.0)


def test_a_judge_that_always_leans_has_an_interval_all_the_same() -> None:
    """Ten of ten first: Wilson's 10/(10 + 1.96²) = 0.722 to 1 of a share, doubled less one: 0.445 to 1."""
    found = comparison(_merged(*[(1, 1)] * 10), list("abcdefghij")).position_bias
    assert (found.value, found.high, found.n) == (1.0, pytest.approx(1.0), 10)
    assert found.low == pytest.approx(2 * 10 / (10 + 1.959964**2) - 1, abs=1e-5)


def test_pairs_of_one_prompt_count_once() -> None:
    """Three wins on one prompt and a loss on another are one half, of two prompts."""
    found = comparison(_merged((1, 0), (1, 0), (1, 0), (0, 1)), ["a", "a", "a", "b"])
    assert (found.win_rate.value, found.win_rate.n) == (0.5, 2)


def test_soft_verdicts_are_shares() -> None:
    verdicts = [soft(ORDERS, [Opinion(0.9), Opinion(0.3)])]
    assert comparison(verdicts, ["a"]).win_rate.value == pytest.approx(0.8)


def test_the_bootstrap_agrees_with_the_normal_interval() -> None:
    shares = np.random.default_rng(0).random(400)
    found = bootstrapped(shares)
    half = 1.96 * shares.std(ddof=1) / math.sqrt(len(shares))
    assert found.low == pytest.approx(shares.mean() - half, abs=0.004)
    assert found.high == pytest.approx(shares.mean() + half, abs=0.004)


def test_equal_shares_have_an_interval_all_the_same() -> None:
    """10 of 10 wins: Wilson's lower end is 10/(10 + 1.96²) = 0.722, where a bootstrap would say 1."""
    found = bootstrapped(np.ones(10))
    assert (found.low, found.high) == (pytest.approx(0.7225, abs=1e-4), pytest.approx(1.0))
    assert math.isnan(bootstrapped(np.array([])).value)


def test_agreement_by_hand_and_against_another_kappa() -> None:
    said = ["A", "A", "B", "tie", "B", "abstain", "A"]
    labels = ["A", "B", "B", "tie", "tie", "A", None]
    found = agreement(said, labels)
    assert (found.accuracy.value, found.accuracy.n) == (pytest.approx(3 / 5), 5)
    assert (found.decided.value, found.decided.n) == (pytest.approx(2 / 3), 3)
    assert found.none == 2
    assert found.kappa.value == pytest.approx(cohen_kappa_score(said[:5], labels[:5]))


def test_kappa_of_one_category_is_unknown() -> None:
    assert math.isnan(agreement(["A", "A"], ["A", "A"]).kappa.value)


def test_first_place_of_random_orders() -> None:
    """Two opinions on one prompt are averaged: ((1 + 0.5)/2 + 0 + 1)/3 = 7/12; what was not read counts nothing."""
    said = [Opinion(0.9), Opinion(0.5), Opinion(0.0), Opinion(1.0), UNREAD]
    found = first_place(said, ["a", "a", "b", "c", "d"])
    assert (found.value, found.n) == (pytest.approx(7 / 12), 3)


def test_what_does_not_belong_together() -> None:
    with pytest.raises(TruingError, match="1 verdicts on pairs of 2 prompts"):
        comparison(_merged((1, 0)), ["a", "b"])
    with pytest.raises(TruingError, match="1 verdicts beside 2 labels"):
        agreement(["A"], ["A", "B"])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("winners", "labels"),
    [
        (["A", "A", "A"], ["A", "B", "A"]),
        (["A", "B"], ["B", "B"]),
        (["A"], ["A"]),
        ([], []),
        (["tie"] * 4, ["tie"] * 4),
    ],
)
def test_who_always_says_the_same_has_no_kappa(winners, labels) -> None:
    assert math.isnan(agreement(winners, labels).kappa.value)


@pytest.mark.filterwarnings("error")
def test_full_agreement_on_few_pairs_is_not_certain() -> None:
    """Four of four, chance one half: Wilson's 4/(4 + 1.96²) = 0.510 gives (0.510 − 0.5)/0.5 = 0.020."""
    found = agreement(["A", "B", "A", "B"], ["A", "B", "A", "B"]).kappa
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx((4 / (4 + 1.959964**2) - 0.5) / 0.5, abs=1e-5)


def test_letters_and_places_are_told_apart() -> None:
    """First under both letters and in both places: leans 1 to the place, 0 to the letter."""
    judged = PROTOCOLS["labels"].run(Bench([Saying(lambda shown: 1.0)]), [Pair("q", "x", "y")])
    assert {name: own.value for name, own in judged.leans.items()} == {"the first place": 1.0, "the letter A": 0.0}
    said = Bench([Saying(lambda shown: float(shown.labels[0] == "A"))])
    judged = PROTOCOLS["labels"].run(said, [Pair("q", "x", "y")])
    assert {name: own.value for name, own in judged.leans.items()} == {"the first place": 0.0, "the letter A": 1.0}
