"""The model that a run trains, loaded as its recipe says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from truing.errors import RecipeError
from truing.policies.causal import CausalPolicy
from truing.policies.critiques import CritiquePolicy, load_critique_model
from truing.policies.loading import load_model
from truing.policies.precision import resolve
from truing.policies.reward_loading import load_reward_model
from truing.policies.values import RewardPolicy, set_padding
from truing.recipe import Recipe
from truing.training import adapters
from truing.training.layers import checkpoint_activations, compile_layers

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def load_policy(
    recipe: Recipe, tokenizer: PreTrainedTokenizerBase, head: int | None = None, *, writes: bool = False
) -> CausalPolicy:
    """The model that is trained, with its adapter if the recipe asks for one.

    Args:
        recipe: as checked.
        tokenizer: of the model.
        head: outputs of a reward head; ``None`` for a language model.
        writes: whether the output head stays beside the reward head.

    Raises:
        RecipeError: if tokenizer and model do not belong together, or no adapter can be attached.
    """
    training = recipe.training
    device = (
        torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")
    )
    quantization = adapters.quantization() if training.peft and training.peft.name == "qlora" else None
    dtype = _weights_dtype(recipe, device)
    options: dict[str, Any] = {"revision": recipe.model.revision, "dtype": dtype, "device": device}
    model: Any
    if head is None:
        model = load_model(recipe.model.name, quantization=quantization, **options)
    elif writes:
        if quantization is not None:
            raise RecipeError(
                "qlora leaves an adapter alone, and a model that writes critiques is saved whole",
                where="training.peft",
                fix="use peft: lora",
            )
        model = load_critique_model(recipe.model.name, seed=training.seed, **options)
    else:
        model = load_reward_model(
            recipe.model.name, head, quantization=quantization, seed=training.seed, **options
        )
        set_padding(model, tokenizer)
    _check_vocabulary(model, tokenizer)
    if training.peft is not None:
        torch.manual_seed(training.seed)
        model = adapters.attach(model, training.peft)
    kind = CausalPolicy if head is None else CritiquePolicy if writes else RewardPolicy
    policy = kind(model, tokenizer, precision=training.precision)
    if training.gradient_checkpointing:
        checkpoint_activations(policy)
    if training.compile:
        compile_layers(policy)
    return policy


def _weights_dtype(recipe: Recipe, device: torch.device) -> torch.dtype:
    """Trained weights are float32; frozen ones under an adapter may be bfloat16 where it is fast."""
    if recipe.model.dtype != "auto":
        return torch.float32 if recipe.model.dtype == "float32" else torch.bfloat16
    frozen = recipe.training.peft is not None
    low = frozen and resolve(recipe.training.precision, device).autocast is not None
    return torch.bfloat16 if low else torch.float32


def _check_vocabulary(model: Any, tokenizer: PreTrainedTokenizerBase) -> None:
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise RecipeError(
            f"the tokenizer has {len(tokenizer):,} tokens and the model's embedding {rows:,} rows: "
            "they do not belong together",
            where="model.tokenizer",
            fix="use the tokenizer that the model was saved with, or resize the model's embeddings",
        )
