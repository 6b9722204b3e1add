"""A line of bins, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from truing.worlds import descend, tilted
from truing.worlds.bins import SideBySide, bell, bumps, every_answer, tent
from truing.worlds.fitting import Problem


def test_bell_and_tent_by_hand() -> None:
    """Width 1 around bin 1 of three: weights e^−½, 1, e^−½, which sum to 2.2131. The tent falls by 4/3 a bin."""
    side = math.exp(-0.5)
    assert bell(1, 1, bins=3).tolist() == pytest.approx(
        [side / (1 + 2 * side), 1 / (1 + 2 * side), side / (1 + 2 * side)]
    )
    assert bell(1, 1, bins=3)[1] == pytest.approx(0.4519, abs=1e-4)
    assert tent(1, bins=3).tolist() == pytest.approx([-4 / 3, 0, -4 / 3])


def test_bumps_are_of_unit_size_and_neighbours_share_them() -> None:
    features = bumps()
    assert float(features.square().sum(-1).mean()) == pytest.approx(1)
    near, far = features[50] @ features[51], features[50] @ features[90]
    assert near > 0.9
    assert far < 0.01


def test_policies_side_by_side_share_no_parameter() -> None:
    """A gradient through the first policy leaves the second alone; with features, neighbours move together."""
    for features in (None, torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])):
        policy = SideBySide(torch.zeros(3), features, runs=2)
        policy.logps()[0, 0].backward()
        assert policy.theta.grad is not None
        assert policy.theta.grad[1].abs().max() == 0
        assert policy.theta.grad[0].abs().max() > 0


def test_every_answer_once_is_the_exact_reverse_kl_gradient() -> None:
    """By the logits KL(p ‖ q) has the gradient p_i (log p_i/q_i − KL); here written out for three answers."""
    from truing.objectives import f_dpg

    start, reward, beta = (
        torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64),
        torch.tensor([0.0, 1.0, 0.5]).double(),
        0.7,
    )
    target = tilted(start, reward, beta)[0]
    moved = torch.tensor([0.2, 0.2, 0.6], dtype=torch.float64)
    policy = SideBySide(moved.log())
    problem = Problem(
        f_dpg(divergence="reverse-kl", beta=beta, baseline=False), every_answer(reward), SideBySide(start.log())
    )
    (gradient,) = torch.autograd.grad(problem.loss(policy).loss, list(policy.parameters()))
    ratio = (moved / target).log()
    expected = moved * (ratio - (moved * ratio).sum())
    assert gradient[0].tolist() == pytest.approx(expected.tolist(), abs=1e-12)


def test_runs_side_by_side_are_the_same_run() -> None:
    """Three equal runs at three times the rate move as one alone: the loss is a mean over them."""
    from truing.objectives import f_dpg

    start, reward = bell(2, 1, bins=5), tent(4, bins=5)
    objective = f_dpg(divergence="reverse-kl", beta=0.5, baseline=False)
    one = descend(SideBySide(start.log()), objective, every_answer(reward), steps=4, rate=0.5).policy
    three = descend(SideBySide(start.log(), runs=3), objective, every_answer(reward, 3), steps=4, rate=1.5).policy
    torch.testing.assert_close(three.logps(), one.logps().expand(3, -1))
