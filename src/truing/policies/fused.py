"""Small parts of a transformer layer with hand-written gradients: fewer passes over memory, less kept.

Each is exact; the tests compare values and gradients with the plain formulas in float64. Under autocast they
hand on the low precision that the next matrix product would convert to anyway.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


def rms_norm(x: Float[Tensor, "tokens width"], weight: Float[Tensor, " width"], eps: float) -> Tensor:
    """Root-mean-square norm over the last dimension: x / sqrt(mean(x²) + eps) · weight."""
    low = torch.get_autocast_dtype(x.device.type) if torch.is_autocast_enabled(x.device.type) else x.dtype
    out: Tensor = _RMSNorm.apply(x, weight, eps, low)  # type: ignore[no-untyped-call]
    return out


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float, out_dtype: torch.dtype) -> Tensor:
        wide = x.float()
        rstd = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
        rstd = rstd.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(x, weight, rstd)
        normed = torch.mul(wide, rstd)
        if out_dtype == normed.dtype == weight.dtype:
            return normed.mul_(weight)
        return torch.mul(normed, weight).to(out_dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, rstd = ctx.saved_tensors
        wide, grad = x.float(), grad.float()
        product = grad * wide
        grad_weight = None
        if ctx.needs_input_grad[1]:
            grad_weight = torch.mv(product.t(), rstd[:, 0]).to(weight.dtype)
        # d x = rstd (grad · w) − x rstd³ mean(grad · w · x)
        inner = torch.mv(product, weight.float()).unsqueeze_(-1)
        inner.mul_(rstd.pow(3)).div_(-x.shape[-1])
        grad_x = torch.mul(grad, weight).mul_(rstd).addcmul_(wide, inner)
        return grad_x.to(x.dtype), grad_weight, None, None


def swiglu(gate: Float[Tensor, "tokens inner"], up: Float[Tensor, "tokens inner"]) -> Tensor:
    """silu(gate) · up. Keeps σ(gate), so that the backward pass needs no exponential."""
    out: Tensor = _SwiGLU.apply(gate, up)  # type: ignore[no-untyped-call]
    return out


class _SwiGLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        opening = torch.sigmoid(gate)
        ctx.save_for_backward(gate, up, opening)
        return torch.mul(gate, opening).mul_(up)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        gate, up, opening = ctx.saved_tensors
        activated = gate * opening
        # d silu / d gate = σ + silu (1 − σ) = silu + σ (1 − silu)
        slope = torch.addcmul(activated, opening, 1 - activated)
        grad_gate = slope.mul_(up).mul_(grad)
        return grad_gate, activated.mul_(grad)


def rotate(
    states: Float[Tensor, "tokens heads width"],
    cos: Float[Tensor, "tokens 1 half"],
    sin: Float[Tensor, "tokens 1 half"],
) -> Tensor:
    """Rotary positions on half-split heads: (a, b) -> (a cos − b sin, b cos + a sin). Overwrites ``states``."""
    out: Tensor = _Rotate.apply(states, cos, sin)  # type: ignore[no-untyped-call]
    return out


class _Rotate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        ctx.mark_dirty(states)
        return _rotate_(states, cos, sin, 1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        # The transpose of a rotation turns the other way.
        return _rotate_(grad.clone(), cos, sin, -1), None, None


def _rotate_(states: Tensor, cos: Tensor, sin: Tensor, direction: int) -> Tensor:
    half = states.shape[-1] // 2
    first, second = states[..., :half], states[..., half:]
    kept = first * sin
    first.mul_(cos).addcmul_(second, sin, value=-direction)
    second.mul_(cos).add_(kept, alpha=direction)
    return states
