"""The sampler and the mode against closed forms and other optimisers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from truing.audit.judges.polya_gamma import polya_gamma
from truing.audit.judges.sparse_logistic import map_weights, posterior_draws


@pytest.mark.parametrize("tilt", [0.0, 0.5, 2.0, 3.0, 8.0, 40.0])
def test_polya_gamma_has_its_mean_and_variance(tilt: float) -> None:
    """E = tanh(c/2)/(2c), Var = (sinh c − c)/(4 c³ cosh²(c/2)); 1/4 and 1/24 at 0. Both laws below the cut are met."""
    draws = polya_gamma(np.full(60_000, tilt), np.random.default_rng(3))
    mean = np.tanh(tilt / 2) / (2 * tilt) if tilt else 1 / 4
    variance = (np.sinh(tilt) - tilt) / (4 * tilt**3 * np.cosh(tilt / 2) ** 2) if tilt else 1 / 24
    error = np.sqrt(variance / len(draws))
    assert abs(draws.mean() - mean) < 4 * error
    assert draws.var() == pytest.approx(variance, rel=0.08)
    assert (draws > 0).all()


def test_polya_gamma_has_its_laplace_transform() -> None:
    """E e^(−ωt) = 1/cosh(√(t/2)) without a tilt, which the two first moments do not decide."""
    draws = polya_gamma(np.zeros(60_000), np.random.default_rng(4))
    for rate in (1.0, 5.0, 20.0):
        values = np.exp(-rate * draws)
        assert abs(values.mean() - 1 / np.cosh(np.sqrt(rate / 2))) < 4 * values.std() / np.sqrt(len(values))


def test_a_tilt_s_sign_does_not_matter_and_the_shape_stays() -> None:
    one, other = (polya_gamma(sign * np.ones((3, 4)), np.random.default_rng(0)) for sign in (1, -1))
    assert one.shape == (3, 4)
    np.testing.assert_array_equal(one, other)


def test_the_mode_of_one_weight() -> None:
    """30 wins and 10 losses by one property: the mode solves 30 σ(−a) − 10 σ(a) = 1/scale."""
    toward = np.array([[1.0]] * 30 + [[-1.0]] * 10)
    expected = minimize_scalar(
        lambda a: 30 * np.logaddexp(0, -a) + 10 * np.logaddexp(0, a) + abs(a) / 0.1,
        bounds=(-3, 3),
        method="bounded",
    ).x
    assert map_weights(toward, 0.1)[0] == pytest.approx(expected, abs=1e-3)
    # 20 wins and 12 losses pull with 4 only, which a prior of slope 10 holds at 0.
    assert map_weights(np.array([[1.0]] * 20 + [[-1.0]] * 12), 0.1)[0] == 0


def test_counts_are_rows_that_come_again() -> None:
    rng = np.random.default_rng(0)
    toward = rng.integers(-1, 2, (40, 3)).astype(float)
    counts = rng.integers(0, 3, 40)
    weighted = map_weights(toward, 0.5, counts.astype(float))
    np.testing.assert_allclose(weighted, map_weights(np.repeat(toward, counts, axis=0), 0.5), atol=1e-4)


def test_without_pairs_the_posterior_is_the_prior() -> None:
    """Laplace(0, 0.1) has mean 0, mean absolute value 0.1 and 97.5 % quantile 0.1 log 20 = 0.2996."""
    draws = posterior_draws(np.zeros((1, 1)), 0.1, np.ones((200, 1)), np.random.default_rng(1), draws=150).ravel()
    assert abs(draws.mean()) < 0.01
    assert np.abs(draws).mean() == pytest.approx(0.1, abs=0.005)
    assert np.quantile(draws, 0.975) == pytest.approx(0.2996, abs=0.02)


def test_a_chain_sees_what_it_keeps() -> None:
    """Chains that keep nothing but the first property's wins move in that weight alone."""
    toward = np.repeat(np.eye(2), 60, axis=0)
    keep = np.stack([np.arange(120) < 60, np.arange(120) >= 60])
    draws = posterior_draws(toward, 0.1, keep, np.random.default_rng(2), warm_up=50, draws=200).mean(0)
    assert draws[0, 0] > 0.8 > 0.2 > abs(draws[0, 1])
    assert draws[1, 1] > 0.8 > 0.2 > abs(draws[1, 0])
