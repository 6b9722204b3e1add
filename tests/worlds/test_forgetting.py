"""The world with a task to forget and one to keep."""

from __future__ import annotations

import pytest
import torch

from truing.worlds.forgetting import Forgetting, SquaredLoss


def test_squared_loss_against_records():
    draw = torch.Generator().manual_seed(0)
    x, y, w = torch.randn(9, 3, generator=draw), torch.randn(9, generator=draw), torch.randn(3, generator=draw)
    loss = SquaredLoss.of(x, y)
    leaf = w.clone().requires_grad_()
    direct = (x @ leaf - y).square().mean() / 2
    direct.backward()
    assert loss(w) == pytest.approx(float(direct.detach()), rel=1e-5)
    assert torch.allclose(loss.gradient(w), leaf.grad, atol=1e-6)


@pytest.mark.parametrize("shared", [True, False])
def test_the_start_is_the_joint_minimum(shared):
    world = Forgetting.random(0, shared_ability=shared, block=4, records=500)
    w = world.weights
    # both gradients and the pull of the weight decay add up to 0, and each block is its task's own
    assert torch.allclose(world.forget.gradient(w) + world.retain.gradient(w) + 0.2 * w, torch.zeros(12).double())
    assert torch.equal(world.forget.gradient(w)[4:8], torch.zeros(4).double())
    assert torch.equal(world.retain.gradient(w)[:4], torch.zeros(4).double())
    # retaining alone keeps the shared weights only if it needs them
    alone = torch.linalg.solve(world.retain.hessian[4:, 4:], world.retain.pull[4:])[4:]
    assert bool((alone.abs() > 0.7).all()) == shared
    assert bool((alone.abs() < 0.1).all()) != shared


def test_unlearning_stops_at_the_loss_and_moves_only_what_it_may():
    world = Forgetting.random(1, shared_ability=True, block=4, records=500)
    mask = world.forget_only
    found = world.unlearned(mask, 3.0)
    assert world.forget(found) == pytest.approx(3.0, abs=1e-9)
    assert torch.equal(found[~mask], world.weights[~mask])
    assert world.retain(found) == world.retain(world.weights)
    with pytest.raises(ValueError, match="did not reach a forget loss of 3"):
        world.unlearned(torch.zeros_like(mask), 3.0)
