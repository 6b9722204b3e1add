"""A linear model that is to forget one task and to keep another: three blocks of features, everything exact.

The forget task uses the features of the first block, the retain task those of the second, and both see those of the
third. Either both need the third block, in the same way; or only the forget task does, so that the retain loss alone
would put its weights at 0. The model was fitted to both with weight decay.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Vector = Float[Tensor, " weights"]


@dataclass(frozen=True)
class SquaredLoss:
    """Half the mean squared error of a linear model, as the quadratic form that it is.

    Attributes:
        hessian: mean of x xᵀ.
        pull: mean of x y.
        constant: half the mean of y².
    """

    hessian: Float[Tensor, "weights weights"]
    pull: Vector
    constant: float

    @classmethod
    def of(cls, inputs: Float[Tensor, "records weights"], targets: Float[Tensor, " records"]) -> SquaredLoss:
        n = len(targets)
        return cls(inputs.T @ inputs / n, inputs.T @ targets / n, float(targets.square().mean() / 2))

    def __call__(self, weights: Vector) -> float:
        return float(weights @ self.hessian @ weights / 2 - self.pull @ weights) + self.constant

    def gradient(self, weights: Vector) -> Vector:
        return self.hessian @ weights - self.pull


@dataclass(frozen=True)
class Forgetting:
    """The two tasks and the model, float64.

    Attributes:
        forget, retain: losses.
        weights: minimum of the sum of both and of the weight decay.
        block: size of each of the three blocks.
    """

    forget: SquaredLoss
    retain: SquaredLoss
    weights: Vector
    block: int

    @classmethod
    def random(
        cls, seed: int, *, shared_ability: bool, block: int = 30, records: int = 8000, decay: float = 0.2
    ) -> Forgetting:
        """Draw a world. Features are standard normal, so that each Hessian is nearly 1 in the blocks that are seen.

        Args:
            seed: of the world.
            shared_ability: whether the retain task needs the third block too.
            block: weights in each of the three blocks.
            records: of each task.
            decay: weight decay, times half the squared norm of the weights.
        """
        draw = torch.Generator().manual_seed(seed)

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=draw, dtype=torch.float64)

        size = 3 * block
        # Weights that are all worth speaking of: from 0.8 to 1.2, of either sign.
        truth = (0.8 + 0.4 * normal(size).sigmoid()) * torch.where(normal(size) > 0, 1.0, -1.0)
        forget, retain = normal(records, size), normal(records, size)
        forget[:, block : 2 * block] = 0
        retain[:, :block] = 0
        of_retain = truth.clone()
        if not shared_ability:
            of_retain[2 * block :] = 0
        first = SquaredLoss.of(forget, forget @ truth + 0.1 * normal(records))
        second = SquaredLoss.of(retain, retain @ of_retain + 0.1 * normal(records))
        curvature = first.hessian + second.hessian + decay * torch.eye(size, dtype=torch.float64)
        return cls(first, second, torch.linalg.solve(curvature, first.pull + second.pull), block)

    @property
    def forget_only(self) -> Bool[Tensor, " weights"]:
        """The weights of the first block."""
        return torch.arange(len(self.weights)) < self.block

    def unlearned(
        self, mask: Bool[Tensor, " weights"], loss: float, *, rate: float = 0.05, steps: int = 2000
    ) -> Vector:
        """Weights after gradient ascent on the forget loss, in the masked weights only, until it is ``loss``.

        The last step is cut short, so that weights of different masks compare at the same forget loss.

        Raises:
            ValueError: if so many steps do not reach it.
        """
        weights = self.weights
        for _ in range(steps):
            step = rate * self.forget.gradient(weights) * mask
            if self.forget(weights + step) >= loss:
                return weights + self._part(weights, step, loss) * step
            weights = weights + step
        raise ValueError(f"gradient ascent did not reach a forget loss of {loss:g} in {steps} steps")

    def _part(self, weights: Vector, step: Vector, loss: float) -> float:
        """The part of a step at which the loss is reached: the larger root of a quadratic."""
        slope = float(self.forget.gradient(weights) @ step)
        bend = float(step @ self.forget.hessian @ step) / 2
        gap = loss - self.forget(weights)
        return float((-slope + (slope**2 + 4 * bend * gap) ** 0.5) / (2 * bend))
