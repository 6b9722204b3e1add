"""A policy whose answers share parameters: a network of one hidden layer over prompts."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from truing.worlds.policies import SingleToken


class Network(SingleToken):
    """Softmax of one hidden layer of tanh units: training on some answers moves all others, of all prompts.

    Args:
        probabilities: what the policy starts from, exactly, shape ``[P, K]``.
        seed: of the weights of the hidden layer.
        hidden: its units.
    """

    def __init__(self, probabilities: Float[Tensor, "prompts outputs"], seed: int, hidden: int = 16) -> None:
        super().__init__()
        prompts, outputs = probabilities.shape
        generator = torch.Generator().manual_seed(seed)
        self.inner = nn.Parameter(torch.randn(prompts, hidden, generator=generator, dtype=torch.float64))
        # Least squares has an exact solution where there are more units than prompts.
        target = probabilities.to(torch.float64).log()
        outer = torch.linalg.lstsq(torch.tanh(self.inner.detach()), target).solution
        self.outer = nn.Parameter(outer.reshape(hidden, outputs))

    def logits(self) -> Tensor:
        return torch.tanh(self.inner) @ self.outer
