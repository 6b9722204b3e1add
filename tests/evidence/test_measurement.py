from __future__ import annotations

import math

import pytest

from truing.evidence import Measurement, above, below, equals, mean_interval


@pytest.mark.parametrize(
    ("measured", "passed"),
    [(1.0, True), (1.1, True), (0.9, True), (1.11, False), (math.nan, False), (math.inf, False)],
)
def test_a_number_passes_within_its_tolerance(measured, passed):
    # 1.1 − 1 rounds above 0.1 in binary; the tolerance is a little wider.
    assert equals(1.0, measured, 0.1 + 1e-12, "nats").passed is passed


def test_a_number_without_tolerance_never_passes():
    assert not Measurement(1.0, 1.0, "nats").passed


def test_interval_by_hand():
    # Mean 2, standard deviation 1, n = 3: 2 ± 4.30265 / sqrt(3), with Student's 97.5 % quantile at 2 degrees.
    low, high = mean_interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3)))


def test_one_value_has_no_interval():
    assert all(math.isnan(end) for end in mean_interval([1.0]))
    assert not above(0.0, [1.0], "nats").passed


@pytest.mark.parametrize(
    ("values", "up", "down"),
    [
        ([1.0, 2.0, 3.0], False, False),  # the interval [−0.48, 4.48] holds the bound
        ([1.9, 2.0, 2.1], True, False),
        ([-1.9, -2.0, -2.1], False, True),
        ([2.0, math.nan, 2.0], False, False),
    ],
)
def test_a_direction_passes_only_if_the_whole_interval_does(values, up, down):
    assert above(0.0, values, "nats").passed is up
    assert below(0.0, values, "nats").passed is down


def test_a_direction_without_chance_compares_the_number():
    assert above(1.0, 1.5, "nats").passed
    assert not above(1.0, 1.0, "nats").passed
    assert not below(1.0, math.nan, "nats").passed


def test_single_values_are_kept_for_plots():
    assert above(0.0, [1.0, 2.0], "nats", worlds=2).details == {"values": [1.0, 2.0], "worlds": 2}
