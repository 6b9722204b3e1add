"""What can be done to a state along a direction.

Each takes states ``[..., H]``, a direction ``[H]`` and a strength, and returns states of the same shape. Strength 0
changes nothing, but for :func:`to_set_point`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

States = Float[Tensor, "*places hidden"]
Vector = Float[Tensor, " hidden"]
EditName = Literal["add", "add-normalised", "remove", "set-point"]


def _unit(direction: Tensor) -> Tensor:
    found: Tensor = direction / torch.linalg.vector_norm(direction)
    return found


def add(states: States, direction: Vector, strength: float) -> States:
    """Add: h + c·v."""
    return states + strength * direction


def add_normalised(states: States, direction: Vector, strength: float) -> States:
    """Add c·‖h‖·v/‖v‖: the same share of every state's length, whatever its layer."""
    share = strength * _unit(direction)
    lengths: Tensor = torch.linalg.vector_norm(states, dim=-1, keepdim=True)
    return states + lengths * share


def remove(states: States, direction: Vector, strength: float) -> States:
    """Subtract c·(h·v)·v/‖v‖²: at c = 1 nothing is left along v."""
    unit = _unit(direction)
    return states - strength * (states @ unit)[..., None] * unit


def to_set_point(states: States, direction: Vector, strength: float) -> States:
    """Move h·v/‖v‖ to c; at c = 0 this is :func:`remove` at 1."""
    unit = _unit(direction)
    return states + (strength - states @ unit)[..., None] * unit


EDITS: dict[EditName, Callable[[States, Vector, float], States]] = {
    "add": add,
    "add-normalised": add_normalised,
    "remove": remove,
    "set-point": to_set_point,
}
