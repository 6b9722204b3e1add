"""Slot 5 of the algebra: what a gap costs.

A link maps the gap ``z`` (chosen minus rejected, minus a margin) or a single signed score to a loss in
nats. All are evaluated through stable primitives and finite for every finite ``z``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from truing.objectives.algebra.formula import Argument, grouped, minus, scaled

# exp(80) is still finite in float32.
_EXPONENT_LIMIT = 80.0


class Link(Protocol):
    """A scalar function of the gap, applied element by element."""

    def __call__(self, z: Tensor) -> Tensor: ...

    def text(self, z: Argument) -> str:
        """The formula, given that of the gap."""
        ...


@dataclass(frozen=True)
class Logistic:
    """−log σ(beta z): the negative log-likelihood of a Bradley–Terry model."""

    beta: float = 1.0

    def __call__(self, z: Tensor) -> Tensor:
        return -functional.logsigmoid(self.beta * z)

    def text(self, z: Argument) -> str:
        return f"−log σ({z.times(self.beta)})"


@dataclass(frozen=True)
class Linear:
    """−z: the gap itself, without bound."""

    def __call__(self, z: Tensor) -> Tensor:
        return -z

    def text(self, z: Argument) -> str:
        return scaled(-1.0, z.times(1.0))


@dataclass(frozen=True)
class Hinge:
    """max(0, delta − beta z)."""

    beta: float = 1.0
    delta: float = 1.0

    def __call__(self, z: Tensor) -> Tensor:
        return torch.relu(self.delta - self.beta * z)

    def text(self, z: Argument) -> str:
        return f"max(0, {minus(f'{self.delta:g}', z.times(self.beta))})"


@dataclass(frozen=True)
class Squared:
    """(z − target)²."""

    target: float

    def __call__(self, z: Tensor) -> Tensor:
        return (z - self.target).square()

    def text(self, z: Argument) -> str:
        if z.left is None:
            # (−s − target)² reads better with its sign turned.
            return f"({Argument(z.right).less(-self.target).times(1)})²"
        return f"({z.less(self.target).times(1)})²"


@dataclass(frozen=True)
class Complement:
    """1 − σ(beta z) = σ(−beta z): bounded, so outliers stop contributing on both sides."""

    beta: float = 1.0

    def __call__(self, z: Tensor) -> Tensor:
        return torch.sigmoid(-self.beta * z)

    def text(self, z: Argument) -> str:
        if z.left is None:
            return f"σ({Argument(z.right).times(self.beta)})"
        return f"1 − σ({z.times(self.beta)})"


@dataclass(frozen=True)
class ReverseKL:
    """EXO (2402.00856, eq. 16): KL of the policy's pair softmax q = σ(beta z) against the smoothed label.

    Args:
        beta: scale of the gap.
        eps: label smoothing, in (0, 0.5); at 0 the loss is infinite.
    """

    beta: float
    eps: float

    def __call__(self, z: Tensor) -> Tensor:
        log_q = functional.logsigmoid(self.beta * z)
        log_not_q = functional.logsigmoid(-self.beta * z)
        forward = torch.exp(log_q) * (log_q - math.log1p(-self.eps))
        return forward + torch.exp(log_not_q) * (log_not_q - math.log(self.eps))

    def text(self, z: Argument) -> str:
        return f"KL(σ({z.times(self.beta)}) ‖ {1 - self.eps:g})"


@dataclass(frozen=True)
class Blend:
    """DiscoPOP (2406.08414, eq. 5): (1 − m)(−log σ(u)) + m e^(−u) with u = beta z, m = σ(u / tau).

    Both products are taken in log space, so that ``m e^(−u)`` does not become 0 · inf for very negative gaps.
    """

    beta: float
    tau: float

    def __call__(self, z: Tensor) -> Tensor:
        u = self.beta * z
        logistic = torch.sigmoid(-u / self.tau) * -functional.logsigmoid(u)
        exponent = functional.logsigmoid(u / self.tau) - u
        return logistic + torch.exp(exponent.clamp(max=_EXPONENT_LIMIT))

    def text(self, z: Argument) -> str:
        u, scaled = z.times(self.beta), z.times(self.beta / self.tau)
        return f"−[1 − σ({scaled})]·log σ({u}) + σ({scaled})·e^(−{grouped(u)})"


@dataclass(frozen=True)
class ReLU:
    """max(0, −z): the ranking loss of RRHF."""

    def __call__(self, z: Tensor) -> Tensor:
        return torch.relu(-z)

    def text(self, z: Argument) -> str:
        margins = tuple((-value, symbol) for value, symbol in z.margins)
        return f"max(0, {Argument(z.right, z.left, margins, z.scale).times(1)})"
