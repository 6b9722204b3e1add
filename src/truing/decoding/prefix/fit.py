"""Values of prefixes that are linear in the model's states, by the two objectives of controlled decoding (2310.17022).

Both losses are squares, and the model is frozen, so that what gradient descent tends to is a linear system. It is
summed up over answers and solved; there is no learning rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from truing.decoding.prefix.walk import Walk

ObjectiveName = Literal["fudge", "q"]


@dataclass(frozen=True)
class Sums:
    """M and b of the system M w = b.

    Attributes:
        matrix: M.
        vector: b.
    """

    matrix: Float[Tensor, "width width"]
    vector: Float[Tensor, " width"]

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.matrix + other.matrix, self.vector + other.vector)

    def solved(self, ridge: float) -> Float[Tensor, " width"]:
        """w, shrunk towards 0.

        Args:
            ridge: what is added to the diagonal, as a share of its mean.
        """
        size = ridge * float(self.matrix.diagonal().mean())
        shrunk = self.matrix + size * torch.eye(len(self.vector), dtype=torch.float64)
        found: Tensor = torch.linalg.lstsq(shrunk, self.vector[:, None], driver="gelsd").solution[:, 0]
        return found


def fudge(walk: Walk) -> Sums:
    """CD-FUDGE: every prefix is to say the reward of its own answer, Σ_t (V(y_≤t) − r)²."""
    return Sums(walk.states.T @ walk.states, walk.states.T @ walk.rewards)


def bellman(walk: Walk) -> Sums:
    """CD-Q: a prefix is to say what is expected one token later, and a whole answer its reward.

    The loss is Σ_t (V(y_≤t) − v_t)² with v_t = Σ_z π(z | y_≤t) V(y_≤t, z), which no gradient goes through. Where it no
    longer moves, Σ_t φ_t (V(φ_t) − v_t) = 0; with V linear the mean of values is the value of the mean state.
    """
    ends = walk.rewards * walk.last
    return Sums(walk.states.T @ (walk.states - walk.following), walk.states.T @ ends)


OBJECTIVES: dict[ObjectiveName, Callable[[Walk], Sums]] = {"fudge": fudge, "q": bellman}


def explained(walk: Walk, weights: Float[Tensor, " width"]) -> float:
    """Share of the rewards' variance that values of prefixes explain; below 0 where the mean would be nearer."""
    spread = ((walk.rewards - walk.rewards.mean()) ** 2).sum()
    missed = ((walk.rewards - walk.states @ weights) ** 2).sum()
    return float(1 - missed / spread) if spread > 0 else float("nan")
