"""Content fingerprints: the same bytes give the same name, whatever the path."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
import xxhash
from torch import nn

from truing.policies.packing import Tree


def of_parameters(model: nn.Module) -> str:
    """Fingerprint of a model's weights and architecture; adapters that are attached do not count."""
    digest = xxhash.xxh3_128()
    for name, parameter in sorted(model.state_dict().items()):
        if "lora_" in name or "modules_to_save" in name:
            continue
        _add(digest, name.replace("base_model.model.", "").replace(".base_layer", ""), parameter)
    return digest.hexdigest()


def of_trained(model: nn.Module) -> str:
    """Fingerprint of the weights that learn, e.g. those of an adapter."""
    digest = xxhash.xxh3_128()
    for name, parameter in sorted(model.named_parameters()):
        if parameter.requires_grad:
            _add(digest, name, parameter)
    return digest.hexdigest()


def _add(digest: xxhash.xxh3_128, name: str, values: torch.Tensor) -> None:
    digest.update(f"{name}:{tuple(values.shape)}:{values.dtype}".encode())
    flat = values.detach().contiguous().reshape(-1).cpu()
    if flat.numel():
        digest.update(flat.view(torch.uint8).numpy().data)


def of_trees(trees: Iterable[Tree]) -> str:
    """Fingerprint of token ids, in order."""
    digest = xxhash.xxh3_128()
    for tree in trees:
        digest.update(_ids(tree.prompt))
        for branch in tree.branches:
            digest.update(b"|")
            digest.update(_ids(branch))
        digest.update(b"\n")
    return digest.hexdigest()


def of_values(value: Any) -> str:
    """Fingerprint of anything that JSON can express."""
    return xxhash.xxh3_128(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def _ids(tokens: Sequence[int]) -> bytes:
    return np.asarray(tokens, dtype=np.int32).tobytes()
