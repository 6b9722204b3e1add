"""Options that change how a model's layers run, never what they compute."""

from __future__ import annotations

from typing import Any

from torch import nn

from truing.errors import ModelError, RecipeError
from truing.policies.causal import CausalPolicy


def checkpoint_activations(policy: CausalPolicy) -> None:
    """Keep only every layer's input, and compute the rest again in the backward pass.

    Raises:
        ModelError: if the architecture cannot do it.
    """
    inner = policy.inner
    if not inner.supports_gradient_checkpointing:
        raise ModelError(
            f"{type(inner).__name__} does not support gradient checkpointing",
            where="training.gradient_checkpointing",
            fix="set it to false; a smaller training.micro_batch_tokens saves memory too",
        )
    inner.gradient_checkpointing_enable({"use_reentrant": False})


def compile_layers(policy: CausalPolicy) -> None:
    """Compile each layer on its own, for sequences of any length; attention over trees stays as it is.

    Raises:
        ModelError: if the model's layers cannot be told apart.
        RecipeError: if this machine has no compiler.
    """
    _check_compiler(policy.device.type)
    layers = _layers(policy.inner)
    if layers is None:
        raise ModelError(
            f"the layers of {type(policy.inner).__name__} cannot be found",
            where="training.compile",
            fix="set it to false",
        )
    for layer in layers:
        layer.compile(dynamic=True)


def _layers(model: nn.Module) -> list[nn.Module] | None:
    """The members of the longest list of equal modules."""
    lists = [list(m) for m in model.modules() if isinstance(m, nn.ModuleList) and len({type(x) for x in m}) == 1]
    return max(lists, key=len, default=None)


def _check_compiler(device: str) -> None:
    if device != "cpu":
        return
    from torch._inductor.cpp_builder import get_cpp_compiler

    try:
        found: Any = get_cpp_compiler()
    except Exception as error:
        raise RecipeError(
            f"training.compile needs a C++ compiler, and none was found: {str(error).splitlines()[0]}",
            where="training.compile",
            fix="install g++ (or clang++), or set it to false",
        ) from None
    if not found:
        raise RecipeError(
            "training.compile needs a C++ compiler, and none was found",
            where="training.compile",
            fix="install g++ (or clang++), or set it to false",
        )
