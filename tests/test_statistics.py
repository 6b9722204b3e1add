"""Intervals against textbook numbers and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from truing.statistics import kappa, mean, paired_difference, rate, share, win_rate


def test_wilson_interval_of_a_textbook_example() -> None:
    # 8 of 10, z = 1.96: centre (0.8 + 0.192) / 1.384 = 0.7168, half-width 0.2266.
    found = rate(8, 10)
    assert (found.value, found.n) == (0.8, 10)
    assert found.low == pytest.approx(0.4902, abs=1e-3)
    assert found.high == pytest.approx(0.9433, abs=1e-3)


def test_nothing_is_unknown_not_zero() -> None:
    assert math.isnan(rate(0, 0).value)
    assert math.isnan(mean([]).value)
    assert math.isnan(mean([3.0]).low)


def test_student_interval_by_hand() -> None:
    # Mean 2, sd 1, n 3, t(0.975, 2) = 4.303: half-width 4.303 / sqrt(3) = 2.484.
    found = mean([1.0, 2.0, 3.0])
    assert found.low == pytest.approx(2 - 2.4841, abs=1e-3)
    assert found.high == pytest.approx(2 + 2.4841, abs=1e-3)


def test_pairing_removes_what_both_sides_share() -> None:
    rng = np.random.default_rng(0)
    items = rng.normal(0, 10, 50)
    found = paired_difference(items + 1 + rng.normal(0, 0.1, 50), items)
    assert found.excludes_zero
    assert found.high - found.low < 0.1


def test_win_rate_counts_ties_half() -> None:
    found = win_rate([1, 1, 0, 0], [0, 0, 0, 1])
    assert (found.wins, found.ties, found.losses) == (2, 1, 1)
    assert found.rate.value == pytest.approx(0.625)
    # Sign test on 2 wins and 1 loss: two-sided p = 1.
    assert found.p_value == pytest.approx(1.0)


def test_all_ties_have_no_p_value() -> None:
    assert math.isnan(win_rate([1, 2], [1, 2]).p_value)


@pytest.mark.parametrize("n", [30, 200])
def test_the_win_rate_interval_covers(n: int) -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        wins = (rng.random(n) < 0.6).astype(float)
        interval = win_rate(wins, 1 - wins).rate
        covered += interval.low <= 0.6 <= interval.high
    # 400 trials at 95 %: two standard errors are 2.2 points.
    assert 0.92 <= covered / 400 <= 0.98


def test_comparisons_of_one_item_are_averaged() -> None:
    # Items: won twice, won and lost, won and tied: shares 1, 1/2, 3/4; mean 3/4, n = 3 and not 6.
    after, before = [2, 2, 2, 0, 2, 1], [1, 1, 1, 1, 1, 1]
    found = win_rate(after, before, per_item=2)
    assert found.rate.value == pytest.approx(0.75)
    assert found.rate.n == 3
    assert (found.wins, found.ties, found.losses) == (4, 1, 1)
    # Two items above one half, none below: p = 2 * (1/2)^2.
    assert found.p_value == pytest.approx(0.5)


def test_differences_of_one_item_are_averaged() -> None:
    found = paired_difference([1, 3, 5, 7], [0, 0, 0, 0], per_item=2)
    assert (found.value, found.n) == (4.0, 2)


def test_the_interval_of_a_share_stays_between_0_and_1() -> None:
    # mean 0.75 of (1, 1, 1, 0): half width 3.1824·0.5/2 = 0.7956, so that 0 to 1 cuts off both ends
    found = share([1.0, 1.0, 1.0, 0.0])
    assert (found.value, found.low, found.high, found.n) == (0.75, 0.0, 1.0, 4)
    assert share([0.5, 0.51]).low == mean([0.5, 0.51]).low > 0
    assert math.isnan(share([0.5]).low)


@pytest.mark.filterwarnings("error")
def test_kappa_of_few_labels() -> None:
    """Five of six agree, chance (3·2 + 3·4)/36 = 1/2: (5/6 − 1/2)/(1/2) = 2/3. One label alone tells nothing."""
    assert kappa([1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0]).value == pytest.approx(2 / 3)
    assert all(math.isnan(kappa(*sides).value) for sides in (([1, 1], [1, 0]), ([1, 0], [0, 0]), ([], [])))
    full = kappa(["x", "y"] * 8, ["x", "y"] * 8)
    assert (full.value, full.high) == (1.0, 1.0)
    assert full.low < 0.8


def test_a_share_of_equal_numbers_is_not_certain() -> None:
    """Ten of ten: Wilson's lower end 10/(10 + 1.96²) = 0.722; a half, always: as five of ten, 0.237 to 0.763."""
    assert share([1.0] * 10).low == pytest.approx(10 / (10 + 1.959964**2), abs=1e-6)
    assert share([0.5] * 10) == rate(5, 10)
