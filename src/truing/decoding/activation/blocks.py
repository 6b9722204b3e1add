"""Where a transformers model keeps the blocks of its decoder."""

from __future__ import annotations

from typing import Any

from torch import nn

from truing.errors import ModelError


def stack(model: nn.Module) -> nn.Module:
    """The module that runs the blocks one after the other.

    Raises:
        ModelError: if it cannot be told.
    """
    return _found(model)[0]


def blocks(model: nn.Module) -> list[nn.Module]:
    """The blocks, first to last.

    Args:
        model: of transformers, or a PEFT model around one.

    Raises:
        ModelError: if there is no single list of as many equal modules as the configuration has layers.
    """
    return list(_found(model)[1])


def _found(model: nn.Module) -> tuple[nn.Module, nn.ModuleList]:
    outer: Any = model
    inner: Any = outer.get_base_model() if hasattr(outer, "get_base_model") else outer
    config: Any = getattr(inner, "config", None)
    text = config.get_text_config(decoder=True) if hasattr(config, "get_text_config") else config
    count = getattr(text, "num_hidden_layers", None)
    decoder = inner.get_decoder() if hasattr(inner, "get_decoder") else inner
    found = [
        (owner, module)
        for owner in (decoder if isinstance(decoder, nn.Module) else inner).modules()
        for module in owner.children()
        if isinstance(module, nn.ModuleList) and len(module) == count and len({type(part) for part in module}) == 1
    ]
    # Experts of a mixture may be as many as there are layers; the outermost list comes first and holds the others.
    if not found:
        raise ModelError(
            f"the blocks of {type(inner).__name__} cannot be found",
            allowed="a model of transformers with one list of num_hidden_layers equal blocks",
        )
    return found[0]
