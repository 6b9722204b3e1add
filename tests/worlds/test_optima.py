"""Closed forms against brute force: numerical optimisation of the textbook definition, in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar

from truing.worlds import (
    bco_log_ratio,
    bradley_terry,
    cdpo_gap,
    cyclic,
    dpo_gap,
    entropy,
    exo_gap,
    f_dpo_policy,
    hinge_gap,
    ipo_gap,
    ipo_policy,
    kl,
    margin_gap,
    mean_ratio_policy,
    nca_log_ratio,
    rdpo_gap,
    sppo_log_ratio,
    tilted,
    total_variation,
    win_rate,
)

RATE = st.floats(0.55, 0.95)
BETA = st.floats(0.2, 3.0)
FEW = settings(max_examples=15, deadline=None)


def softplus(x):
    return np.logaddexp(0, x)


def minimum(loss, low=-60.0, high=60.0):
    return minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-10}).x


def maximise_over_simplex(value, start):
    """Free logits, BFGS from the reference."""

    def loss(logits):
        p = np.exp(logits - logits.max())
        return -value(p / p.sum())

    found = minimize(loss, np.log(start), method="BFGS", options={"gtol": 1e-9})
    p = np.exp(found.x - found.x.max())
    return torch.tensor(p / p.sum())[None]


@pytest.fixture
def world():
    rng = np.random.default_rng(0)
    reference, utility = rng.dirichlet(np.ones(5)), rng.normal(size=5)
    return reference, utility, torch.tensor(reference)[None], torch.tensor(utility)[None]


def test_tilted_policy_maximises_reward_minus_kl(world):
    reference, utility, ref, u = world
    beta = 0.7
    best = maximise_over_simplex(lambda p: p @ utility - beta * p @ np.log(p / reference), reference)
    assert total_variation(best, tilted(ref, u, beta)) < 1e-5


@pytest.mark.parametrize(
    ("name", "f"),
    [
        ("forward-kl", lambda t: -np.log(t)),
        ("jensen-shannon", lambda t: t * np.log(t) - (1 + t) * np.log((1 + t) / 2)),
        # Amari's alpha-divergence, whose derivative is (t^(a−1) − 1)/(a − 1) at a = 1/2, up to a constant.
        ("alpha", lambda t: (t**0.5 - t * 0.5 - 0.5) / (0.5 * (0.5 - 1))),
    ],
)
def test_f_dpo_policy_maximises_reward_minus_divergence(world, name, f):
    reference, utility, ref, u = world
    beta = 1.3
    best = maximise_over_simplex(lambda p: p @ utility - beta * reference @ f(p / reference), reference)
    assert total_variation(best, f_dpo_policy(ref, u, beta, name, 0.5)) < 1e-5


@FEW
@given(RATE, BETA)
def test_dpo_gap_minimises_the_expected_loss(p, beta):
    best = minimum(lambda d: p * softplus(-beta * d) + (1 - p) * softplus(beta * d))
    assert dpo_gap(p, beta) == pytest.approx(best, abs=1e-3)
    assert rdpo_gap(0.9 * p + 0.1 * (1 - p), beta, 0.1) == pytest.approx(dpo_gap(p, beta))


@FEW
@given(RATE, BETA, st.floats(0.01, 0.4))
def test_cdpo_gap_minimises_the_expected_loss(p, beta, eps):
    def smoothed(d):
        return (1 - eps) * softplus(-beta * d) + eps * softplus(beta * d)

    best = minimum(lambda d: p * smoothed(d) + (1 - p) * smoothed(-d))
    assert cdpo_gap(p, beta, eps) == pytest.approx(best, abs=1e-3)


@FEW
@given(RATE, st.floats(0.1, 2.0))
def test_ipo_gap_minimises_the_expected_loss(p, tau):
    target = 1 / (2 * tau)
    best = minimum(lambda d: p * (d - target) ** 2 + (1 - p) * (-d - target) ** 2)
    assert ipo_gap(p, tau) == pytest.approx(best, abs=1e-5)


@FEW
@given(st.floats(0.05, 0.95).filter(lambda p: abs(p - 0.5) > 0.05), BETA, st.floats(0.5, 3.0))
def test_hinge_gap_minimises_the_expected_loss(p, beta, delta):
    def loss(d):
        return p * max(0, delta - beta * d) + (1 - p) * max(0, delta + beta * d)

    grid = np.linspace(-20, 20, 4001)
    assert loss(hinge_gap(p, beta, delta)) <= min(loss(d) for d in grid) + 1e-9


@FEW
@given(RATE, BETA, st.floats(0.001, 0.3))
def test_exo_gap_minimises_the_expected_reverse_kl(p, beta, eps):
    def divergence(q, label):
        return q * math.log(q / label) + (1 - q) * math.log((1 - q) / (1 - label))

    def loss(d):
        q = 1 / (1 + math.exp(-beta * d))
        return p * divergence(q, 1 - eps) + (1 - p) * divergence(q, eps)

    best = minimum(loss, -10 / beta, 10 / beta)
    assert exo_gap(p, beta, eps) == pytest.approx(best, abs=1e-3)


@FEW
@given(RATE, st.floats(0.0, 3.0))
def test_margin_gap_minimises_the_expected_loss(p, gamma):
    best = minimum(lambda z: p * softplus(gamma - z) + (1 - p) * softplus(z + gamma))
    assert margin_gap(p, gamma) == pytest.approx(best, abs=1e-3)


def test_margin_gap_without_margin_is_the_logit():
    assert margin_gap(0.8, 0.0) == pytest.approx(math.log(4))


@FEW
@given(RATE, BETA)
def test_absolute_optima_minimise_their_losses(p, beta):
    share = torch.tensor([[p]])
    bco = minimum(lambda r: p * softplus(-beta * r) + (1 - p) * softplus(beta * r))
    assert float(bco_log_ratio(share, beta)) == pytest.approx(bco, abs=1e-3)
    nca = minimum(lambda r: p * softplus(-beta * r) + 0.5 * softplus(beta * r))
    assert float(nca_log_ratio(share, beta)) == pytest.approx(nca, abs=1e-3)
    target = 1 / (2 * beta)
    sppo = minimum(lambda r: p * (r - target) ** 2 + (1 - p) * (r + target) ** 2)
    assert float(sppo_log_ratio(share, beta)) == pytest.approx(sppo, abs=1e-5)


def test_ipo_policy_minimises_least_squares_on_a_cycle():
    rng = np.random.default_rng(1)
    reference, sampler, tau = rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(5)), 0.4
    win = cyclic(5, 0.7)
    weight = 2 * np.outer(sampler, sampler) * win[0].numpy()

    def loss(logits):
        ratio = logits - np.log(reference)
        gap = ratio[:, None] - ratio[None, :]
        return (weight * (gap - 1 / (2 * tau)) ** 2).sum()

    logits = minimize(loss, np.log(reference), method="BFGS", options={"gtol": 1e-9}).x
    best = torch.tensor(np.exp(logits) / np.exp(logits).sum())[None]
    rate = win_rate(win, torch.tensor(sampler)[None])
    assert total_variation(best, ipo_policy(torch.tensor(reference)[None], rate, tau)) < 1e-5


def test_mean_ratio_policy_has_linear_per_token_ratios_and_sums_to_one():
    rng = np.random.default_rng(2)
    reference, utility = torch.tensor(rng.dirichlet(np.ones(6)))[None], torch.tensor(rng.normal(size=6))[None]
    lengths = torch.tensor([1, 2, 2, 3, 4, 7])
    policy = mean_ratio_policy(reference, utility, 1.5, lengths)
    assert float(policy.sum()) == pytest.approx(1.0)
    per_token = (policy / reference).log() / lengths
    # The difference of per-token log-ratios is the difference of utilities over beta, for all pairs.
    torch.testing.assert_close(per_token - per_token[:, :1], (utility - utility[:, :1]) / 1.5)


def test_dpo_gap_is_infinite_for_certain_pairs_and_ipo_gap_is_not():
    assert dpo_gap(1.0, 0.1) == math.inf
    assert ipo_gap(1.0, 0.1) == 5.0


def test_distances_by_hand():
    p, q = torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75])
    assert total_variation(p, q) == pytest.approx(0.25)
    assert kl(p, q) == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3))
    assert entropy(torch.tensor([0.5, 0.5, 0.0])) == pytest.approx(math.log(2))


def test_win_rates_of_the_data_average_one_half():
    win = bradley_terry(torch.tensor([0.3, -1.0, 2.0]))
    sampler = torch.tensor([[0.2, 0.5, 0.3]], dtype=torch.float64)
    assert float((sampler * win_rate(win, sampler)).sum()) == pytest.approx(0.5)
