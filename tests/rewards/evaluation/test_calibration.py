"""Calibration of preferences, by numbers worked out by hand and on data whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.rewards.evaluation.calibration import calibration, temperature


def log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def test_ten_pairs_by_hand() -> None:
    """Five pairs at 0.62 of which 3 are right, five at 0.93 of which 4 are: ½·|0.6 − 0.62| + ½·|0.8 − 0.93| = 0.075."""
    low, high = log_odds(0.62), log_odds(0.93)
    found = calibration(np.array([low, low, low, -low, -low, high, high, high, high, -high]))
    assert found.ece == pytest.approx(0.075)
    assert found.confidence == pytest.approx((0.62 + 0.93) / 2)
    assert [(round(b.low, 2), round(b.high, 2), b.accuracy.n) for b in found.bins] == [
        (0.6, 0.65, 5),
        (0.9, 0.95, 5),
    ]
    assert [b.accuracy.value for b in found.bins] == pytest.approx([0.6, 0.8])
    assert found.bins[0].accuracy.low < 0.6 < found.bins[0].accuracy.high


def test_labels_drawn_from_the_confidences_are_calibrated() -> None:
    """With labels drawn from σ(gap) the error vanishes and the best temperature is 1; with gaps doubled it is 2."""
    rng = np.random.default_rng(0)
    gaps = rng.normal(0, 2, 200_000)
    signed = np.where(rng.random(len(gaps)) < 1 / (1 + np.exp(-gaps)), gaps, -gaps)
    assert calibration(signed).ece < 0.01
    assert calibration(signed).temperature == pytest.approx(1, abs=0.03)
    assert calibration(2 * signed).temperature == pytest.approx(2, abs=0.06)
    assert calibration(2 * signed).ece > 0.05


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=30), st.floats(0.1, 10))
def test_a_scale_changes_confidence_and_never_the_order(gaps: list[float], scale: float) -> None:
    values = np.array(gaps)
    own, other = calibration(values), calibration(scale * values)
    assert 0 <= own.ece <= 1
    assert sum(b.accuracy.value * b.accuracy.n for b in own.bins) == pytest.approx(
        sum(b.accuracy.value * b.accuracy.n for b in other.bins)
    )
    assert sum(b.accuracy.n for b in own.bins) == len(values)


def test_ties_count_one_half_and_are_certain_of_nothing() -> None:
    found = calibration(np.zeros(8))
    assert found.confidence == 0.5
    assert found.ece == 0.0
    assert [b.accuracy.value for b in found.bins] == [0.5]


@pytest.mark.parametrize(
    ("gaps", "expected"), [([1.0, -2.0], math.inf), ([0.0, 0.0], math.inf), ([1.0, 2.0], 0.0)]
)
def test_temperatures_without_an_optimum(gaps: list[float], expected: float) -> None:
    """A ranking that is no better than chance should say nothing; one without a mistake may be certain."""
    assert temperature(np.array(gaps)) == expected


def test_the_best_temperature_by_hand() -> None:
    """Gaps +1, +1, +1, −1: the loss is smallest where σ(1/T) = ¾, T = 1/ln 3."""
    assert temperature(np.array([1.0, 1.0, 1.0, -1.0])) == pytest.approx(1 / math.log(3), rel=1e-4)


def test_no_pairs() -> None:
    assert math.isnan(calibration(np.zeros(0)).ece)
