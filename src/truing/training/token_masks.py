"""Masks over tokens from the reference's states: learned (SparsePO) or read off its activity (MaPO), 2410.05102."""

from __future__ import annotations

from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

_DROPOUT = 0.1


class TokenModule(Protocol):
    """From the reference's states to a number for each token."""

    def __call__(
        self, layers: Float[Tensor, "layers tokens hidden"], sequence: Int[Tensor, " tokens"]
    ) -> Float[Tensor, " tokens"]: ...


class LearnedMask(nn.Module):
    """Each layer's states through one shared normalisation and a unit of their own, mixed over layers; never negative.

    Args:
        layers: number of layers, the embeddings not counted.
        hidden: width of the states.
    """

    def __init__(self, layers: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.weight = nn.Parameter(torch.randn(layers, hidden) / hidden**0.5)
        self.bias = nn.Parameter(torch.ones(layers))
        # Positive, so that no mask is dead from the start: a mask of zeros has no gradient.
        self.mixer = nn.Parameter(torch.full((layers,), 1.0 / layers))
        self.dropout = nn.Dropout(_DROPOUT)

    def forward(
        self, layers: Float[Tensor, "layers tokens hidden"], sequence: Int[Tensor, " tokens"]
    ) -> Float[Tensor, " tokens"]:
        """The mask; ``sequence`` is not looked at."""
        states = self.norm(layers[1:])
        each = torch.relu(torch.einsum("lth,lh->tl", states, self.weight) + self.bias)
        mixed: Tensor = self.dropout(torch.relu(self.dropout(each) @ self.mixer))
        return mixed


def activation_mask(
    layers: Float[Tensor, "layers tokens hidden"], sequence: Int[Tensor, " tokens"]
) -> Float[Tensor, " tokens"]:
    """Mean activation over layers and units, rescaled to [0, 1] within each answer; ½ where all are the same.

    The paper standardises before it rescales, which changes nothing.
    """
    activity = layers[1:].mean((0, 2))
    count = int(sequence[-1]) + 1 if len(sequence) else 0
    low = activity.new_full((count,), torch.inf).scatter_reduce(0, sequence, activity, reduce="amin")[sequence]
    high = activity.new_full((count,), -torch.inf).scatter_reduce(0, sequence, activity, reduce="amax")[sequence]
    spread = high - low
    return torch.where(spread > 0, (activity - low) / spread.clamp(min=1e-12), torch.full_like(activity, 0.5))
