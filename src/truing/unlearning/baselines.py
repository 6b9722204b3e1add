"""What WAGLE is compared with: other ways to choose the weights that unlearning may change.

Each gives scores like :func:`truing.unlearning.attribution.wagle_scores`, for
:func:`truing.unlearning.selection.select`; :func:`feed_forward` gives a mask.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from truing.errors import TruingError
from truing.unlearning.attribution import Batch, Loss, Tensors, trainable

_FEED_FORWARD = re.compile(r"(^|\.)(mlp|ffn|feed_forward|feedforward|fc1|fc2|experts)(\.|$)")


def random_scores(weights: Tensors, seed: int = 0) -> dict[str, Tensor]:
    """Uniform random numbers: every weight is as good as any other."""
    draw = torch.Generator().manual_seed(seed)
    return {name: torch.rand(value.shape, generator=draw) for name, value in weights.items()}


def magnitude(weights: Tensors) -> dict[str, Tensor]:
    """|θ|: large weights first."""
    return {name: value.detach().abs() for name, value in weights.items()}


def gradient_size(forget: Tensors) -> dict[str, Tensor]:
    """|g_f|: where the forget loss is steepest, whatever retaining needs."""
    return {name: value.abs() for name, value in forget.items()}


@torch.no_grad()
def wanda(model: nn.Module, run: Loss[Batch], batches: Iterable[Batch]) -> dict[str, Tensor]:
    """|θ_ij| · ‖x_j‖ for linear layers, with x_j the layer's j-th input over all tokens (2306.11695); 0 elsewhere.

    Args:
        model: its trainable parameters are scored.
        run: runs the model on a batch through its own ``forward``; what it returns is not used.
        batches: the forget set.

    Raises:
        TruingError: if no linear layer was run, as by code that multiplies with the weights itself.
    """
    squares: dict[str, Tensor] = {}
    names = {id(p): name for name, p in trainable(model).items()}

    def watch(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        name = names.get(id(layer.weight))
        if name is not None:
            flat = inputs[0].detach().float().reshape(-1, inputs[0].shape[-1])
            squares[name] = squares.get(name, torch.zeros((), device=flat.device)) + flat.square().sum(0)

    hooks = [m.register_forward_pre_hook(watch) for m in model.modules() if isinstance(m, nn.Linear)]
    training = model.training
    model.eval()
    try:
        for batch in batches:
            run(model, batch)
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    if not squares:
        raise TruingError(
            "no linear layer was run", where="run", fix="call the model itself: model(input_ids=...)"
        )
    return {
        name: p.detach().abs() * squares[name].sqrt() if name in squares else torch.zeros_like(p)
        for name, p in trainable(model).items()
    }


def feed_forward(weights: Tensors) -> dict[str, Tensor]:
    """A mask of all weights of feed-forward layers, by the names that transformers gives them.

    Raises:
        TruingError: if no name looks like one.
    """
    mask = {
        name: torch.full(value.shape, bool(_FEED_FORWARD.search(name)), dtype=torch.bool)
        for name, value in weights.items()
    }
    if not any(bool(part.any()) for part in mask.values()):
        raise TruingError(
            "no parameter is named like one of a feed-forward layer",
            where=", ".join(list(weights)[:3]),
            allowed="names with mlp, ffn, feed_forward, fc1, fc2 or experts in them",
        )
    return mask
