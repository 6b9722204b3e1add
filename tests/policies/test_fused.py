"""Hand-written gradients against autograd in float64."""

from __future__ import annotations

import pytest
import torch

from truing.policies import fused


def test_rms_norm() -> None:
    torch.manual_seed(0)
    x = torch.randn(7, 12, requires_grad=True)
    weight = torch.randn(12, requires_grad=True)
    upstream = torch.randn(7, 12)
    found = fused.rms_norm(x, weight, 1e-6)
    wide, wide_weight = (t.detach().double().requires_grad_() for t in (x, weight))
    expected = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-6) * wide_weight
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)
    wanted = torch.autograd.grad(expected, (wide, wide_weight), upstream.double())
    got = torch.autograd.grad(found, (x, weight), upstream)
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a.double(), b, atol=1e-5, rtol=1e-5)


def test_rms_norm_of_zeros_is_finite() -> None:
    x = torch.zeros(2, 4, requires_grad=True)
    fused.rms_norm(x, torch.ones(4), 1e-6).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_rms_norm_hands_on_the_autocast_precision() -> None:
    x = torch.randn(3, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert fused.rms_norm(x, torch.ones(8), 1e-6).dtype == torch.bfloat16


def test_swiglu() -> None:
    torch.manual_seed(0)
    gate = torch.randn(5, 9, dtype=torch.float64, requires_grad=True)
    up = torch.randn(5, 9, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(fused.swiglu, (gate, up))
    torch.testing.assert_close(fused.swiglu(gate, up), torch.nn.functional.silu(gate) * up)


@pytest.mark.parametrize("heads", [1, 3])
def test_rotate_is_a_rotation_whose_gradient_turns_back(heads: int) -> None:
    torch.manual_seed(0)
    states = torch.randn(6, heads, 8, dtype=torch.float64, requires_grad=True)
    angle = torch.randn(6, 1, 4, dtype=torch.float64)
    cos, sin = angle.cos(), angle.sin()

    def run(x: torch.Tensor) -> torch.Tensor:
        return fused.rotate(x * 1.0, cos, sin)  # a copy: rotate writes into its argument

    assert torch.autograd.gradcheck(run, (states,))
    turned = run(states)
    torch.testing.assert_close(turned.norm(dim=-1), states.norm(dim=-1))
    first, second = states[..., :4], states[..., 4:]
    expected = torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
    torch.testing.assert_close(turned, expected)
