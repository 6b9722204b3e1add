"""Tests between methods: by hand, and calibrated where nothing differs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from truing.arenas.significance import holm, permutation_p_values


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)[:, None]


def test_four_items_by_hand() -> None:
    """All 16 assignments of signs to 1, 2, 3, 4: |sum| reaches 10 with all plus and all minus only, so p = 2/16.

    With −1, 2, 3, 4 the sum is 8; |sum| ≥ 8 for those two and for the two in which only the 1 has the other sign: 4/16.
    """
    assert permutation_p_values(column(1, 2, 3, 4))[0] == 2 / 16
    assert permutation_p_values(column(-1, 2, 3, 4))[0] == 4 / 16
    assert permutation_p_values(column(0, 0, 0))[0] == 1


def test_equal_sums_count_as_reached_in_spite_of_rounding() -> None:
    # 0.1 + 0.2 and 0.3 differ in the last bit; each of the eight assignments with |sum| = 0.6 or 0 is counted once.
    assert permutation_p_values(column(0.1, 0.2, 0.3))[0] == 2 / 8
    assert permutation_p_values(column(0.1, 0.2, -0.3))[0] == 1


def test_agrees_with_scipy() -> None:
    gaps = np.random.default_rng(3).normal(0.15, 1, size=(80, 3))
    ours = permutation_p_values(gaps, draws=20_000)
    theirs = stats.permutation_test(
        (gaps,), lambda x, axis: x.mean(axis=axis), permutation_type="samples", n_resamples=20_000,
        alternative="two-sided", axis=0, rng=np.random.default_rng(9),
    ).pvalue  # fmt: skip
    # Two estimates of p from 20,000 draws each differ by 4 · sqrt(2 p (1 − p) / 20,000) at most, nearly always.
    assert np.all(np.abs(ours - theirs) <= 4 * np.sqrt(2 * theirs * (1 - theirs) / 20_000) + 1e-4)


@pytest.mark.parametrize("items", [8, 60])
def test_under_the_null_p_values_are_not_too_small(items: int) -> None:
    """2,000 comparisons of methods that do not differ, with skewed and tied values as verdicts of a judge have them.

    P(p ≤ 0.05) is at most 0.05; the observed share is above 0.05 + 4 · sqrt(0.05 · 0.95 / 2000) once in 30,000.
    """
    rng = np.random.default_rng(items)
    a, b = rng.choice([0.0, 0.5, 1.0], p=[0.3, 0.1, 0.6], size=(2, items, 2000))
    p = permutation_p_values(a - b, draws=2000)
    for level in (0.01, 0.05, 0.2):
        assert np.mean(p <= level) <= level + 4 * np.sqrt(level * (1 - level) / 2000)
    if items == 60:  # with 8 tied items p takes few values; with 60 the test rejects nearly as often as it may
        assert np.mean(p <= 0.2) > 0.16


def test_a_real_difference_is_found() -> None:
    gaps = np.random.default_rng(0).normal(0.5, 1, size=(100, 1))
    assert permutation_p_values(gaps)[0] < 0.001


def test_holm_by_hand() -> None:
    """Sorted: 0.005·4 = 0.02; 0.01·3 = 0.03; 0.03·2 = 0.06; 0.04·1 = 0.04, raised to 0.06."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0])
    assert len(holm([])) == 0


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_keeps_the_order_and_lies_between_p_and_bonferroni(raw: list[float]) -> None:
    p = np.array(raw)
    adjusted = holm(p)
    assert np.all(adjusted >= p)
    assert np.all(adjusted <= np.minimum(1, len(p) * p) + 1e-12)
    assert adjusted.min() == pytest.approx(min(1, len(p) * p.min()))
    order = np.argsort(p, kind="stable")
    assert np.all(np.diff(adjusted[order]) >= 0)
