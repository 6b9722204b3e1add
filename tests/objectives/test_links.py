"""Links against the formulas of their papers, computed the straightforward way."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from truing.objectives.algebra import Blend, Complement, Hinge, Link, Logistic, ReLU, ReverseKL, Squared


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def reverse_kl(z: float) -> float:
    q, p = sigmoid(0.5 * z), 0.9
    return q * math.log(q / p) + (1 - q) * math.log((1 - q) / (1 - p))


def blend(z: float) -> float:
    u = 0.5 * z
    m = sigmoid(u / 0.25)
    return (1 - m) * -math.log(sigmoid(u)) + m * math.exp(-u)


LINKS: list[tuple[Link, Callable[[float], float]]] = [
    (Logistic(0.5), lambda z: -math.log(sigmoid(0.5 * z))),
    (Hinge(0.5, 2.0), lambda z: max(0.0, 2 - 0.5 * z)),
    (Squared(3.0), lambda z: (z - 3) ** 2),
    (Complement(0.5), lambda z: 1 - sigmoid(0.5 * z)),
    (ReverseKL(0.5, 0.1), reverse_kl),
    (Blend(0.5, 0.25), blend),
    (ReLU(), lambda z: max(0.0, -z)),
]
every_link = pytest.mark.parametrize(("link", "formula"), LINKS, ids=[type(link).__name__ for link, _ in LINKS])


@pytest.mark.parametrize("z", [-8.0, -1.3, -0.1, 0.0, 0.2, 1.7, 9.0])
@every_link
def test_the_formula(link: Link, formula: Callable[[float], float], z: float) -> None:
    value = float(link(torch.tensor(z, dtype=torch.float64)))
    assert value == pytest.approx(formula(z), rel=1e-12, abs=1e-14)


@every_link
def test_finite_with_finite_gradient_for_every_gap(link: Link, formula: Callable[[float], float]) -> None:
    z = torch.tensor([-1e4, -2e3, -100.0, -1e-30, 0.0, 1e-30, 100.0, 2e3, 1e4], requires_grad=True)
    value = link(z)
    (gradient,) = torch.autograd.grad(value.sum(), z)
    assert torch.isfinite(value).all()
    assert torch.isfinite(gradient).all()


@every_link
def test_gradients_are_those_of_finite_differences(link: Link, formula: Callable[[float], float]) -> None:
    # Away from the kinks of hinge (4) and relu (0).
    z = torch.tensor([-6.1, -1.2, -0.3, 0.4, 2.2, 5.9], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(link.__call__, (z,))


def test_a_blend_of_high_temperature_does_not_overflow() -> None:
    # With tau > 1 the exponential outruns the blend: e^(2000 − 1000) is clamped.
    value = Blend(1.0, 2.0)(torch.tensor([-2000.0]))
    assert torch.isfinite(value).all()


def test_what_saturates() -> None:
    """Bounded links stop contributing on both sides, the others on one side only."""
    ends = torch.tensor([-500.0, 500.0], requires_grad=True)
    for link, alive in (
        (Logistic(), [True, False]),
        (Complement(), [False, False]),
        (Squared(0.0), [True, True]),
        (ReverseKL(1.0, 0.1), [False, False]),
        (Hinge(), [True, False]),
    ):
        (gradient,) = torch.autograd.grad(link(ends).sum(), ends)
        assert (gradient.abs() > 1e-6).tolist() == alive, link
