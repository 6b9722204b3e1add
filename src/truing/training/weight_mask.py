"""Training of chosen weights only (``training.weight_mask``): the others keep their bits."""

from __future__ import annotations

from transformers import TrainerCallback

from truing.errors import RecipeError, TruingError
from truing.policies.causal import CausalPolicy
from truing.recipe import Recipe
from truing.unlearning.masking import MaskedUpdates
from truing.unlearning.masks import check_mask, load_mask
from truing.unlearning.selection import density

KEY = "training.weight_mask"


def check_weight_mask(recipe: Recipe) -> None:
    """Refuse a mask together with options under which it cannot hold weights.

    Raises:
        RecipeError: naming the keys that clash, and why.
    """
    training = recipe.training
    if training.weight_mask is None:
        return
    if training.peft is not None:
        raise RecipeError(
            "training.weight_mask is about the model's own weights, and with an adapter those do not learn at all",
            where=f"{KEY} and training.peft",
            fix="remove one of them",
        )
    sharded = next((key for key in ("fsdp", "deepspeed") if training.arguments.get(key)), None)
    if sharded is not None:
        raise RecipeError(
            f"training.weight_mask needs whole weights in every process, and {sharded} cuts them into parts",
            where=f"{KEY} and training.arguments.{sharded}",
            fix="remove one of them",
        )


def weight_mask_note(recipe: Recipe, policy: CausalPolicy) -> tuple[str, ...]:
    """How many weights may change, in words; nothing where there is no mask.

    Raises:
        RecipeError: if the file cannot be read, or is about another model.
    """
    path = recipe.training.weight_mask
    if path is None:
        return ()
    try:
        mask = load_mask(path)
        check_mask(mask, policy.model)
    except TruingError as error:
        where = KEY if error.where is None else f"{KEY} ({error.where})"
        fix = error.fix or "make one for this model with `truing unlearn mask`"
        raise RecipeError(error.what, where=where, allowed=error.allowed, fix=fix) from None
    return (f"{density(mask)['all']:.2%} of the weights may change, as {path} says; the others keep their bits",)


def masked(recipe: Recipe) -> list[TrainerCallback]:
    """What holds the other weights during training."""
    path = recipe.training.weight_mask
    return [] if path is None else [MaskedUpdates(load_mask(path))]
