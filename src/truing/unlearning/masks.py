"""Masks as files: safetensors, one bool tensor for each parameter."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from truing.errors import TruingError, did_you_mean
from truing.unlearning.selection import Mask, density
from truing.writing import atomic_path


def save_mask(mask: Mask, path: str | Path) -> None:
    """Write a mask; its density and where it comes from are for the run's record, see :func:`density`."""
    from safetensors.torch import save_file

    with atomic_path(Path(path)) as partial:
        save_file(
            {name: value.to("cpu", torch.bool).contiguous() for name, value in mask.items()},
            partial,
            {"kind": "truing weight mask", "density": f"{density(mask)['all']:.9f}"},
        )


def load_mask(path: str | Path) -> dict[str, Tensor]:
    """Read a mask.

    Raises:
        TruingError: if the file is missing, damaged, or holds something else.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file

    try:
        with safe_open(path, framework="pt") as handle:
            metadata = handle.metadata() or {}
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise TruingError(
            f"the mask cannot be read: {error}", where=str(path), allowed="a file that save_mask wrote"
        ) from None
    if metadata.get("kind") != "truing weight mask" or any(t.dtype != torch.bool for t in tensors.values()):
        raise TruingError(
            "the file holds tensors, but no mask", where=str(path), allowed="a file that save_mask wrote"
        )
    return tensors


def check_mask(mask: Mask, model: nn.Module) -> None:
    """Raise unless a mask says of every trainable weight of a model whether it may change.

    Raises:
        TruingError: if a parameter is missing from the mask or the model, or differs in shape.
    """
    parameters = dict(model.named_parameters())
    for name, value in mask.items():
        if name not in parameters:
            raise TruingError(
                f"the mask is about {name!r}, which the model does not have",
                fix=did_you_mean(name, parameters)
                or "make the mask with this model, wrapped as it is for training",
            )
        if value.shape != parameters[name].shape or value.dtype != torch.bool:
            raise TruingError(
                f"the mask of {name!r} has the shape {list(value.shape)} and the type {value.dtype}",
                allowed=f"{list(parameters[name].shape)} and torch.bool (sharded weights cannot be masked)",
            )
    missing = [name for name, p in parameters.items() if p.requires_grad and name not in mask]
    if missing:
        raise TruingError(
            f"the mask says nothing about {len(missing)} trainable parameters",
            where=", ".join(missing[:3]),
            fix="give them a mask of all True (may change) or all False",
        )
