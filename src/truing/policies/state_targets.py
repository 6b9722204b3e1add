"""Distances of the policy's states at one layer from where they should be: misdirection and retention (2403.03218)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

MISDIRECTION, RETENTION = "misdirection", "retention"


@dataclass(frozen=True)
class StateTarget:
    """What the states at one layer are compared with.

    Attributes:
        name: what the value is asked for by, e.g. ``"retention:7"``.
        layer: 1 for the output of the first layer; that of the last one is after the final norm.
        target: detached, shape ``[H]``, or ``[M, H]`` for one at each scored position.
    """

    name: str
    layer: int
    target: Tensor

    def distance(self, states: Float[Tensor, "scored hidden"]) -> Float[Tensor, " scored"]:
        """Squared Euclidean distance at each position, in float32 at least."""
        wide = states if states.dtype == torch.float64 else states.float()
        difference = wide - self.target.to(wide)
        return difference.square().sum(-1)


@dataclass(frozen=True)
class Asked:
    """What the name of such a value says.

    Attributes:
        name: as a whole: ``"misdirection:LAYER:COEFFICIENT"`` or ``"retention:LAYER"``.
        kind: the part before the first colon.
        layer: whose states.
        coefficient: length of the target of a misdirection.
    """

    name: str
    kind: str
    layer: int
    coefficient: float = 0.0


def asked(name: str) -> Asked | None:
    """Read the name of a derived value; ``None`` where it is of another kind."""
    kind, *rest = name.split(":")
    if kind == MISDIRECTION:
        return Asked(name, kind, int(rest[0]), float(rest[1]))
    return Asked(name, kind, int(rest[0])) if kind == RETENTION else None


def unit_vector(width: int, seed: int) -> Float[Tensor, " hidden"]:
    """A random direction: uniform numbers from 0 to 1, scaled to length 1; the same on every device."""
    drawn = torch.rand(width, generator=torch.Generator().manual_seed(seed))
    return drawn.div(drawn.square().sum().sqrt())
