"""A small network from the embedding of a prompt to weights of objectives, and its file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ModelError


@dataclass(frozen=True)
class Adapter:
    """softmax(W₂ tanh(W₁ h + b₁) + b₂), with h standardised as in training.

    Args:
        names: the K objectives.
        tensors: ``centre`` and ``scale`` of the embeddings ``[D]``, ``w1 [D, H]``, ``b1 [H]``, ``w2 [H, K]``,
            ``b2 [K]``.
    """

    names: tuple[str, ...]
    tensors: dict[str, Tensor]

    @property
    def width(self) -> int:
        """D."""
        return len(self.tensors["centre"])

    def logits(self, embeddings: Float[Tensor, "answers width"]) -> Float[Tensor, "answers objectives"]:
        """What the softmax is taken of."""
        t = self.tensors
        hidden = torch.tanh((embeddings.to(t["centre"]) - t["centre"]) / t["scale"] @ t["w1"] + t["b1"])
        return hidden @ t["w2"] + t["b2"]

    def save(self, path: Path) -> None:
        """Write it as safetensors."""
        from safetensors.torch import save_file

        save_file(self.tensors, str(path), metadata={"adapter": json.dumps(self.names)})

    @classmethod
    def load(cls, path: Path) -> Adapter:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: if the file is missing, or something else.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="pt") as file:
                names = json.loads((file.metadata() or {})["adapter"])
                return cls(tuple(names), {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            raise ModelError(f"{path} holds no adapter of preference weights: {error}") from None
