"""How much memory a run will want, and how many tokens to put into one forward pass."""

from __future__ import annotations

from dataclasses import dataclass

import psutil
import torch
from torch import nn
from transformers import PreTrainedModel

from truing.policies.head import CHUNK_BYTES, SMALLEST_CHUNK

_PYTHON_BYTES = 650 * 2**20
_SMALLEST, _LARGEST = 1024, 65_536
# On a CPU larger micro-batches stop helping early, because activations leave the caches.
_CPU_TOKENS = 2048


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes, by purpose. An estimate for a plan, not a promise."""

    weights: int
    gradients_and_optimizer: int
    activations: int
    head: int
    process: int = _PYTHON_BYTES

    @property
    def total(self) -> int:
        return self.weights + self.gradients_and_optimizer + self.activations + self.head + self.process


def bytes_per_token(model: PreTrainedModel, checkpointing: bool, low_precision: bool) -> int:
    """Activation memory of one token through all layers, with gradient."""
    config = model.config.get_text_config()
    width = int(config.hidden_size)
    inner = int(getattr(config, "intermediate_size", None) or 4 * width)
    layers = int(config.num_hidden_layers)
    size = 2 if low_precision else 4
    layer = (14 * width + 5 * inner) * size
    return layer + layers * width * size if checkpointing else layers * layer


def estimate(
    model: nn.Module, inner: PreTrainedModel, tokens: int, *, checkpointing: bool, low: bool
) -> MemoryEstimate:
    """Memory at the peak of a step with ``tokens`` tokens in a micro-batch."""
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    vocabulary = int(inner.config.get_text_config().vocab_size)
    return MemoryEstimate(
        weights=weights,
        gradients_and_optimizer=trained * 12,
        activations=tokens * bytes_per_token(inner, checkpointing, low),
        head=3 * max(CHUNK_BYTES[inner.device.type], SMALLEST_CHUNK * vocabulary * 4),
    )


def micro_batch_tokens(model: nn.Module, inner: PreTrainedModel, *, checkpointing: bool, low: bool) -> int:
    """Tokens for one forward pass that fit comfortably."""
    per_token = bytes_per_token(inner, checkpointing, low)
    fixed = estimate(model, inner, 0, checkpointing=checkpointing, low=low)
    if inner.device.type == "cuda":
        free = torch.cuda.mem_get_info(inner.device)[0] * 0.8 - fixed.gradients_and_optimizer - fixed.head
        return int(min(_LARGEST, max(_SMALLEST, free // per_token)))
    free = psutil.virtual_memory().available * 0.5 - fixed.gradients_and_optimizer - fixed.head
    return int(min(_CPU_TOKENS, max(_SMALLEST, free // per_token)))
