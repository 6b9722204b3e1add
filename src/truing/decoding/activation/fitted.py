"""A fitted direction for every block of a model, as a file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ModelError
from truing.writing import atomic_path

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

FORMAT = "truing steering 1"


@dataclass(frozen=True)
class Fitted:
    """Directions with what is known of them.

    Attributes:
        vectors: for every block, ``[L, H]``, float32.
        layer: the chosen block.
        norms: mean ‖h‖ of the examples after every block, ``[L]``.
        model: fingerprint of the weights that the examples went through.
        about: further facts: estimator, tokens, number of examples, scores of the blocks.
    """

    vectors: Float[Tensor, "layers hidden"]
    layer: int
    norms: Float[Tensor, " layers"]
    model: str
    about: dict[str, Any] = field(default_factory=dict)

    def relative(self, strength: float, layer: int | None = None) -> float:
        """|c|·‖v‖/‖h‖ at a block: how far a push goes, in lengths of a state."""
        at = self.layer if layer is None else layer
        return float(abs(strength) * self.vectors[at].norm() / self.norms[at])

    def save(self, path: Path) -> None:
        """Write one safetensors file; facts stand in its head as JSON."""
        from safetensors.torch import save_file

        facts = {"format": FORMAT, "layer": self.layer, "model": self.model, "about": self.about}
        with atomic_path(path) as partial:
            save_file(
                {"vectors": self.vectors.float().contiguous(), "norms": self.norms.float().contiguous()},
                str(partial),
                metadata={"truing": json.dumps(facts)},
            )

    @classmethod
    def load(cls, path: Path) -> Fitted:
        """Read a file that :meth:`save` wrote.

        Raises:
            ModelError: if there is none, or it is something else.
        """
        from safetensors import SafetensorError, safe_open

        if not path.is_file():
            raise ModelError("there is no such file", where=str(path), fix="make one with `truing steering fit`")
        try:
            with safe_open(str(path), framework="pt") as stored:
                facts = json.loads((stored.metadata() or {})["truing"])
                if facts["format"] != FORMAT:
                    raise KeyError("format")
                return cls(
                    stored.get_tensor("vectors"),
                    int(facts["layer"]),
                    stored.get_tensor("norms"),
                    str(facts["model"]),
                    dict(facts["about"]),
                )
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            raise ModelError(
                f"this is no file of steering directions: {error}",
                where=str(path),
                fix="make one with `truing steering fit`",
            ) from None

    def check(self, policy: CausalPolicy) -> None:
        """Refuse a model of other shape, or other weights.

        Raises:
            ModelError: saying which.
        """
        from truing.decoding.activation.blocks import blocks
        from truing.policies.fingerprint import of_parameters

        shape = (len(blocks(policy.inner)), policy.inner.get_input_embeddings().weight.shape[1])
        if tuple(self.vectors.shape) != shape:
            raise ModelError(
                f"the directions are for {self.vectors.shape[0]} blocks of width {self.vectors.shape[1]}, the model "
                f"has {shape[0]} of width {shape[1]}",
                fix="fit directions on this model",
            )
        if of_parameters(policy.inner) != self.model:
            raise ModelError(
                "the directions were found in a model with other weights",
                fix="fit directions on this model; a direction of another one means nothing here",
            )


def mean_norms(states: Float[Tensor, "examples layers hidden"]) -> Float[Tensor, " layers"]:
    """Mean length of a state after every block."""
    norms: Tensor = torch.linalg.vector_norm(states.float(), dim=-1)
    return norms.mean(0)
