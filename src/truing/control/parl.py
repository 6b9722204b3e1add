"""PARL (2308.03585): the gradient of a reward's design through the policy that is optimal for it.

Above, a reward is chosen, and judged on what the policy below does; below, a policy is the best one for that reward.
What the policy does depends on the reward, so that the gradient above has a part that passes through it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.control.method import control
from truing.errors import TruingError
from truing.registry import Paper

Level = Callable[[Tensor, Tensor], Tensor]
"""From parameters of the reward and of the policy to a number that is to be large."""


@dataclass(frozen=True)
class Hypergradient:
    """The gradient of the upper level in the reward's parameters.

    Attributes:
        direct: with the policy held fixed.
        implicit: through the policy; zeros where that part is left out.
        residual: what the linear system is off by, relative to its right-hand side.
        iterations: of conjugate gradients.
    """

    direct: Tensor
    implicit: Tensor
    residual: float
    iterations: int

    @property
    def whole(self) -> Tensor:
        return self.direct + self.implicit


@control(
    name="parl",
    slug="parl",
    paper=Paper(
        "PARL: A Unified Framework for Policy Alignment in Reinforcement Learning from Human Feedback",
        2023,
        "2308.03585",
    ),
    summary="The gradient for designing a reward on feedback about the policy that is optimal for it, with the part "
    "that passes through the policy.",
    formula="dG/dν = ∂G/∂ν + (∂²V/∂ν∂θ) (λ − ∂²V/∂θ²)⁻¹ ∂G/∂θ",
    legend=(
        "G(ν, θ): what the reward is judged by, e.g. the log-likelihood of preferences on the policy's own "
        "trajectories",
        "V(ν, θ): what the policy maximises, with an entropy bonus so that its maximum is one point",
        "ν: parameters of the reward",
        "θ: parameters of the policy, at the maximum of V",
        "λ: damping",
    ),
    use_when="Feedback is collected on trajectories of the current policy while its reward is being learned, and "
    "feedback is what is dear.",
    avoid_when="The lower level is far from its optimum: the implicit part is then biased, and V may not be concave, "
    "where damping or more steps below are needed. Feedback on a fixed set of trajectories has no such part.",
    requires=("a decision process, or samples of trajectories", "preferences on trajectories of the policy"),
    cost="about two gradients of V for each iteration of conjugate gradients",
    aliases=("a-parl",),
)
def parl(
    upper: Level,
    lower: Level,
    reward: Float[Tensor, ...],
    policy: Float[Tensor, ...],
    *,
    implicit: bool = True,
    damping: float = 1e-8,
    iterations: int = 500,
    tolerance: float = 1e-10,
) -> Hypergradient:
    """The hypergradient at a reward and the policy that is optimal for it (2308.03585, equations 10 to 12).

    Args:
        upper: G, to be maximised over the reward; any number of it may be an estimate from samples.
        lower: V, to be maximised over the policy; differentiable twice.
        reward: ν, of any shape.
        policy: θ, of any shape; where V is at its maximum.
        implicit: whether the part through the policy counts; without it, it is the usual reward learning (as PEBBLE).
        damping: λ, added to the diagonal of −∂²V/∂θ², which a softmax over logits leaves singular.
        iterations: most steps of conjugate gradients.
        tolerance: of the linear system, relative.

    Raises:
        TruingError: if a level is not finite or no number, or V is not concave in the policy where it should be.
    """
    if damping < 0:
        raise TruingError(f"the damping is {damping}", allowed="at least 0")
    nu, theta = reward.detach().clone().requires_grad_(), policy.detach().clone().requires_grad_()
    above = _number(upper(nu, theta), "upper")
    direct, push = torch.autograd.grad(above, [nu, theta], allow_unused=True, materialize_grads=True)
    if not implicit or not push.any():
        return Hypergradient(direct, torch.zeros_like(direct), 0.0, 0)
    slope = torch.autograd.grad(_number(lower(nu, theta), "lower"), theta, create_graph=True)[0]

    def curvature(vector: Tensor) -> Tensor:
        (product,) = torch.autograd.grad(slope, theta, vector, retain_graph=True)
        return damping * vector - product

    solved, residual, steps = conjugate_gradients(curvature, push, iterations, tolerance)
    (through,) = torch.autograd.grad(slope, nu, solved, allow_unused=True, materialize_grads=True)
    return Hypergradient(direct, through, residual, steps)


def conjugate_gradients(
    product: Callable[[Tensor], Tensor], right: Tensor, iterations: int, tolerance: float
) -> tuple[Tensor, float, int]:
    """Solve A x = b for a positive definite A that is known by its products.

    Args:
        product: from x to A x, of the same shape.
        right: b.
        iterations: at most.
        tolerance: of |A x − b| / |b|.

    Returns:
        x, the relative residual, and the number of iterations.

    Raises:
        TruingError: if A is not positive in a direction that is met.
    """
    found, rest = torch.zeros_like(right), right.clone()
    direction, size = rest.clone(), float(rest.square().sum())
    scale = size
    for step in range(iterations):
        if size <= tolerance**2 * scale:
            return found, (size / scale) ** 0.5, step
        image = product(direction)
        bend = float((direction * image).sum())
        if not bend > 0:
            raise TruingError(
                f"the lower level is not concave in the policy: the curvature of a direction is {bend:.3g}",
                allowed="a policy at the maximum of the lower level",
                fix="make more steps below first, raise the entropy bonus, or raise the damping",
            )
        found = found + size / bend * direction
        rest = rest - size / bend * image
        before, size = size, float(rest.square().sum())
        direction = rest + size / before * direction
    return found, (size / scale) ** 0.5, iterations


def _number(value: Tensor, which: str) -> Tensor:
    if value.ndim or not bool(value.isfinite()):
        raise TruingError(
            f"the {which} level is {'no single number' if value.ndim else float(value.detach())}",
            allowed="a finite number",
        )
    return value
