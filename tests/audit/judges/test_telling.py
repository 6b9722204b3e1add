"""Families of effects: what may be named when many are looked at."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from truing.audit.judges.telling import after_holm, normal_p_values, simultaneous_doubt
from truing.diagnostics.audits import preference_dissection, profile


def test_p_values_are_those_of_the_normal_distribution() -> None:
    found = normal_p_values(np.array([1.96, 0.0, np.nan, -3.0]), np.array([1.0, 0.0, 1.0, 2.0]))
    assert found[[0, 3]] == pytest.approx(2 * stats.norm.sf([1.96, 1.5]))
    assert found[1] == 1.0
    assert np.isnan(found[2])


def test_holm_leaves_out_what_is_unknown() -> None:
    """0.01 · 3, then 0.02 · 2 = 0.04, then 0.5: the unknown one is no fourth test."""
    np.testing.assert_allclose(after_holm([0.02, np.nan, 0.5, 0.01]), [0.04, np.nan, 0.5, 0.03])


def test_a_simultaneous_region_of_independent_normals() -> None:
    """P(max |z| of 4 ≥ 2.5) = 1 − (1 − 0.01242)^4 = 0.0488, and of one alone 0.0124."""
    draws = np.random.default_rng(0).standard_normal((200_000, 4)) * [1, 2, 1, 1] + [2.5, 5, 0, 0]
    found = simultaneous_doubt(np.array([2.5, 5.0, 0.0, 0.0]), draws)
    np.testing.assert_allclose(found, [0.0488, 0.0488, 1, 1], atol=0.003)
    assert simultaneous_doubt(np.array([2.5]), draws[:, :1])[0] == pytest.approx(0.0124, abs=0.002)
    assert np.isnan(simultaneous_doubt(np.ones(1), np.ones((5, 1)))[0])


def _chance(seed: int, properties: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(-1, 2, (300, properties)).astype(float), rng.choice([-1.0, 1.0], 300)


def _names(properties: int) -> list[str]:
    return [f"p{number}" for number in range(properties)]


@pytest.mark.parametrize("how", ["map", "posterior"])
def test_votes_by_chance_name_no_property_most_of_the_time(how) -> None:
    """Intervals by themselves name something in nearly every one of these data sets, the family in one of 20."""
    alone, together = [], []
    for seed in range(8):
        features, votes = _chance(seed, 20)
        found = preference_dissection(
            features, votes, _names(20), how=how, scale=1.0, folds=1, draws=30, seed=seed
        )
        (fit,) = found.fits
        alone.append(any(weight.excludes_zero for weight in fit.weights))
        together.append(bool(fit.told))
    assert sum(alone) >= 4
    assert sum(together) <= 1


def test_a_strong_property_is_named_with_its_doubt() -> None:
    features, votes = _chance(0, 20)
    votes[features[:, 3] != 0] = features[features[:, 3] != 0, 3]
    found = preference_dissection(features, votes, _names(20), draws=30)
    assert found.fits[0].told == (3,)
    text = "\n".join(found.sentences())
    assert "p after Holm" in text
    assert "95 % interval" in text
    assert "p3: +" in text


def test_scenarios_are_a_family_of_their_own() -> None:
    """One strong property in one of two scenarios: p-values of scenarios are corrected for 2 · 4 numbers, not 4."""
    features, votes = _chance(1, 4)
    votes[:150] = np.where(features[:150, 0] != 0, features[:150, 0], votes[:150])
    kinds = ["a"] * 150 + ["b"] * 150
    one = preference_dissection(features[:150], votes[:150], _names(4), draws=20)
    both = preference_dissection(features, votes, _names(4), scenarios=kinds, draws=20)
    fit = both.fit("judge", "a")
    assert fit.told == (0,)
    assert fit.doubt[0] > one.fits[0].doubt[0] or fit.doubt[0] == pytest.approx(2 * one.fits[0].doubt[0])


def test_two_annotators_at_chance_do_not_weigh_differently() -> None:
    """30 factors: an interval alone excludes 0 for one of 20."""
    alone, together = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        differences, votes = rng.standard_normal((400, 30)), rng.choice([-1.0, 1.0], 400)
        found = profile(differences, votes, _names(30), annotators=["x"] * 200 + ["y"] * 200, draws=80, seed=seed)
        alone.append(any(gap.excludes_zero for gap in found.gaps["x", "y"]))
        together.append(bool(found.misaligned("x", "y")))
    assert sum(alone) >= 4
    assert sum(together) <= 1
    assert "after Holm over 30 differences: nothing that stands out" in "\n".join(found.sentences())
