"""The gradient in all weights that learn, taken by itself before a step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from truing.training.step import PreferenceStep


def gradient_alone(step: PreferenceStep, indices: Sequence[int]) -> tuple[Tensor, int]:
    """The gradient of a step's loss as one vector, and the tokens that it took; the weights have none afterwards.

    Every process computes its share of the records, and has the whole gradient.

    Args:
        step: whose weights have no gradient yet.
        indices: the records.
    """
    tokens = step.train(indices, _accumulate).tokens
    found = _taken(step.policy.model)
    step.world.add_up([found])
    return found, tokens


def _taken(model: nn.Module) -> Tensor:
    parameters = [own for own in model.parameters() if own.requires_grad]
    found = torch.cat(
        [torch.zeros_like(own).flatten() if own.grad is None else own.grad.flatten() for own in parameters]
    )
    model.zero_grad()
    return found


def _accumulate(loss: Tensor, last: bool) -> None:
    loss.backward()
