"""Several output heads on one backbone (MAH-DPO, 2510.01167): one for each aim, mixed by weights at inference.

Logits are linear in the head's matrix, so that a mixture of heads is one head: Σ v_h W_h. What is mixed is a
geometric mixture of the heads' policies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from truing.errors import ModelError
from truing.policies.head import HeadSpec, token_log_probs

NOISE = 0.001
"""Standard deviation of what is added to a copied head, so that copies differ from the start."""


class OutputHead(nn.Module):
    """A copy of a model's output head.

    Args:
        source: the model's own.
        spec: what happens to its logits.
        seed: of the noise that is added.
    """

    def __init__(self, source: nn.Module, spec: HeadSpec, seed: int) -> None:
        super().__init__()
        if type(source) is not nn.Linear:
            raise ModelError(
                f"the model's output head is a {type(source).__name__}, which cannot be copied",
                allowed="models whose output head is a plain matrix",
                fix="leave adapters off the output head, or choose another objective",
            )
        generator = torch.Generator().manual_seed(seed)
        noise = NOISE * torch.randn(source.weight.shape, generator=generator)
        self.weight = nn.Parameter(source.weight.detach().float().cpu() + noise)
        self.bias = None if source.bias is None else nn.Parameter(source.bias.detach().clone())
        self.spec = spec

    def forward(
        self, hidden: Float[Tensor, "tokens hidden"], targets: Int[Tensor, " tokens"]
    ) -> Float[Tensor, " tokens"]:
        """Log-probability of each target under this head, nats."""
        return token_log_probs(hidden, self.weight, self.bias, targets, self.spec)[0]


def untie(model: PreTrainedModel) -> None:
    """Give the output head a matrix of its own, where it shares that of the input embeddings."""
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    if head is None or head.weight is not embeddings.weight:
        return
    head.weight = nn.Parameter(head.weight.detach().clone())
    model.config.tie_word_embeddings = False
    model.config.get_text_config().tie_word_embeddings = False


def mixed(model: PreTrainedModel, heads: Path, weights: Mapping[str, float]) -> PreTrainedModel:
    """The model with a mixture of heads in place of its own.

    Args:
        model: as trained; it is changed.
        heads: ``heads.safetensors`` of the run.
        weights: by the name of the head, at least 0; they are divided by their sum. ``main`` is the model's own.

    Raises:
        ModelError: on unknown names, or weights that are negative or all 0.
    """
    stored = load_file(str(heads))
    names = ["main", *sorted(name.removesuffix(".weight") for name in stored if name.endswith(".weight"))]
    for name, weight in weights.items():
        if name not in names:
            raise ModelError(f"there is no head {name!r}", where=str(heads), allowed=", ".join(names))
        if not 0 <= weight < math.inf:
            raise ModelError(f"the weight of head {name!r} is {weight}", allowed="numbers of at least 0")
    total = sum(weights.values())
    if total <= 0:
        raise ModelError("all weights are 0", allowed="at least one head with a weight above 0")
    untie(model)
    head = model.get_output_embeddings()
    with torch.no_grad():
        own = head.weight.detach().float().clone()
        matrices = {"main": own, **{name: stored[f"{name}.weight"].to(own) for name in names[1:]}}
        summed = sum(weight / total * matrices[name] for name, weight in weights.items())
        assert isinstance(summed, Tensor)
        head.weight.copy_(summed)
    return model


def mix_run(run: Path, weights: Sequence[str] | Mapping[str, float], output: Path) -> None:
    """Write a run's model with a mixture of its heads, for ``from_pretrained``.

    Args:
        run: folder of a finished run that trained several heads.
        weights: by name, or as ``NAME=WEIGHT``.
        output: folder that is written.

    Raises:
        ModelError: if the run has no heads, or a weight cannot be read.
    """
    from truing.policies.loading import load_model, load_tokenizer
    from truing.writing import atomic_path

    heads = run / "heads.safetensors"
    if not heads.exists():
        raise ModelError(
            "this run has no further output heads",
            where=str(run),
            fix="name the folder of a finished run with objective mah-dpo",
        )
    pairs = list(weights.items()) if isinstance(weights, Mapping) else [_weight(text) for text in weights]
    given = dict(pairs)
    if len(given) < len(pairs):
        raise ModelError("a head has two weights", where=", ".join(weights), allowed="every head once")
    model = mixed(load_model(str(run / "model")), heads, given)
    with atomic_path(output) as partial:
        model.save_pretrained(partial)
        load_tokenizer(str(run / "model")).save_pretrained(partial)


def _weight(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise ModelError(
            f"{text!r} is no weight of a head", allowed="NAME=WEIGHT, e.g. main=0.7 harmless=0.3"
        ) from None
