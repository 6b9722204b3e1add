"""Comparisons of models and of sets: Kolmogorov-Smirnov, area under the curve, utility, intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from truing.errors import DataError
from truing.unlearning.metrics.forget_quality import forget_quality
from truing.unlearning.metrics.membership import area, auc, privacy_leak
from truing.unlearning.metrics.resampling import percentile_interval
from truing.unlearning.metrics.utility import harmonic_mean, model_utility


class TestForgetQuality:
    def test_apart(self):
        # four and four values that do not overlap: D = 1, and of 8!/(4! 4!) = 70 orders 2 are as extreme
        found = forget_quality(np.array([1.0, 2, 3, 4]), np.array([5.0, 6, 7, 8]))
        assert (found.statistic, found.n, found.n_retrained) == (1.0, 4, 4)
        assert found.p_value == pytest.approx(2 / 70)

    def test_the_same_values(self):
        found = forget_quality(np.arange(5.0), np.arange(5.0))
        assert (found.statistic, found.p_value) == (0.0, 1.0)

    def test_interval_and_what_could_have_been_found(self):
        # sqrt(ln(4/0.05)/(2·400)) = sqrt(4.3820/800) = 0.0740 on either side; 1.3581·sqrt(800/160000) = 0.0960
        found = forget_quality(np.arange(400.0), np.arange(400.0) + 200)
        assert found.statistic == pytest.approx(0.5)
        assert (found.low, found.high) == (pytest.approx(0.352, abs=1e-3), pytest.approx(0.648, abs=1e-3))
        assert found.detectable == pytest.approx(0.0960, abs=1e-4)

    def test_only_the_order_counts_and_infinity_is_a_value(self):
        first, second = np.array([0.5, 1.0, 2.0, np.inf]), np.array([0.1, 0.7, 3.0, 4.0])
        assert forget_quality(first, second) == forget_quality(1 / first, 1 / second)

    def test_the_interval_covers(self):
        # two samples of 30 of the same law: D is 0, and all of 200 intervals may hold it (they are conservative)
        draw = np.random.default_rng(0)
        assert all(forget_quality(draw.normal(size=30), draw.normal(size=30)).low == 0 for _ in range(200))

    def test_what_cannot_be_compared(self):
        with pytest.raises(DataError, match="no truth ratios to compare") as caught:
            forget_quality(np.array([]), np.array([1.0]))
        assert caught.value.where == "the unlearned model"
        with pytest.raises(DataError, match="a truth ratio is not a number") as caught:
            forget_quality(np.array([1.0]), np.array([np.nan]))
        assert caught.value.where == "the retrained model"


class TestAreaUnderTheCurve:
    def test_by_hand(self):
        # pairs (3,1) (3,2) (2,1) won, (2,2) tied: 3.5 of 4
        assert area(np.array([3.0, 2.0]), np.array([1.0, 2.0])) == 3.5 / 4

    @given(
        st.lists(st.integers(0, 5), min_size=1, max_size=12), st.lists(st.integers(0, 5), min_size=1, max_size=12)
    )
    def test_as_scikit_learn_computes_it(self, members, others):
        expected = roc_auc_score([1] * len(members) + [0] * len(others), members + others)
        assert area(np.array(members, float), np.array(others, float)) == pytest.approx(expected)

    def test_the_interval_solves_its_equation(self):
        # the defining equation, |value − end| = 1.96 sqrt(V(end)), with the Hanley-McNeil variance written out
        draw = np.random.default_rng(0)
        members, others = draw.normal(1, 1, 30), draw.normal(0, 1, 50)
        found = auc(members, others)
        for end in (found.low, found.high):
            q1, q2 = end / (2 - end), 2 * end**2 / (1 + end)
            half = (30 + 50) / 2 - 1
            variance = (end * (1 - end) + half * (q1 - end**2) + half * (q2 - end**2)) / (30 * 50)
            assert abs(found.value - end) == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-5)
        assert found.low < found.value < found.high
        assert found.n == 30

    @pytest.mark.parametrize(("members", "value"), [([5.0, 6, 7, 8, 9], 1.0), ([-5.0, -6, -7, -8, -9], 0.0)])
    def test_a_perfect_attack_on_few_answers_is_not_certain(self, members, value):
        found = auc(np.array(members), np.arange(5.0))
        assert found.value == value
        # at an estimate of 1 with n = m = 5 the end solves 1 − a = 3.8415·a·(1 + 4((1−a)/(2−a) + a/(1+a)))/25,
        # and 0.6427 does: 0.0988·(1 + 4·(0.2632 + 0.3912)) = 0.357
        assert found.high - found.low == pytest.approx(0.3573, abs=1e-4)
        mirrored = auc(np.arange(5.0), np.array(members))
        assert (1 - found.high, 1 - found.low) == (pytest.approx(mirrored.low), pytest.approx(mirrored.high))

    def test_the_interval_covers(self):
        # P(N(1,1) > N(0,1)) = Φ(1/√2) = 0.760
        draw = np.random.default_rng(1)
        hits = 0
        for _ in range(400):
            found = auc(draw.normal(1, 1, 20), draw.normal(0, 1, 25))
            hits += found.low <= 0.7602 <= found.high
        assert 0.92 <= hits / 400 <= 0.98

    def test_what_has_no_area(self):
        with pytest.raises(DataError, match="trained on have no scores"):
            auc(np.array([]), np.array([1.0]))
        with pytest.raises(DataError, match="held out have a score that is not a number"):
            auc(np.array([1.0]), np.array([np.nan]))

    def test_privacy_leak_by_hand(self):
        # AUC 3.5/4 against 2/4 of the retrained model: 0.875/0.5 − 1
        members, others = np.array([3.0, 2.0]), np.array([1.0, 2.0])
        base = np.array([1.0, 3.0]), np.array([2.0, 2.0])
        found = privacy_leak(members, others, *base)
        assert found.value == pytest.approx(0.75)
        # of so few answers some draws leave the retrained model at 0, where the ratio is unknown
        assert math.isnan(found.low)
        draw = np.random.default_rng(0)
        members, others = draw.normal(2, 1, 40), draw.normal(0, 1, 40)
        found = privacy_leak(members, others, draw.normal(size=40), draw.normal(size=40))
        assert 0 < found.low < found.value < found.high
        same = privacy_leak(members, others, members, others)
        assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


class TestUtility:
    def test_harmonic_mean(self):
        # 3 / (1/1 + 1/0.5 + 1/0.25) = 3/7
        assert harmonic_mean([1.0, 0.5, 0.25]) == pytest.approx(3 / 7)
        assert harmonic_mean([1.0, 0.0]) == 0.0

    @pytest.mark.parametrize("values", [[], [0.5, -0.1], [0.5, math.nan]])
    def test_what_has_no_harmonic_mean(self, values):
        with pytest.raises(DataError, match="a harmonic mean of"):
            harmonic_mean(values)

    def test_of_sets(self):
        # means 0.5 and 1 on one set, 0.25 on the other: 3 / (2 + 1 + 4) = 3/7
        sets = {
            "retain": {"probability": np.array([0.4, 0.6]), "rouge": np.array([1.0, 1.0])},
            "world_facts": {"probability": np.array([0.25, 0.25, 0.25])},
        }
        found = model_utility(sets)
        assert found.value == pytest.approx(3 / 7)
        assert found.n == 5
        # the extremes of the bootstrap draw one of the two values twice: 3/(1/0.4 + 5) and 3/(1/0.6 + 5)
        assert (found.low, found.high) == (pytest.approx(0.4), pytest.approx(0.45))

    def test_needs_a_set(self):
        with pytest.raises(DataError, match="the utility needs questions"):
            model_utility({"retain": {}})

    def test_the_interval_is_unknown_for_one_question(self):
        found = model_utility({"retain": {"probability": np.array([0.5])}})
        assert found.value == 0.5
        assert math.isnan(found.low)


def test_percentile_interval_of_a_mean_covers():
    draw = np.random.default_rng(0)
    hits = 0
    for seed in range(200):
        sample = draw.normal(size=40)
        low, high = percentile_interval(
            lambda picked, s=sample: float(s[picked[0]].mean()), [40], seed=seed, resamples=200
        )
        hits += low <= 0 <= high
    assert 0.88 <= hits / 200 <= 0.98
