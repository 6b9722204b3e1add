"""From the method of an unlearning recipe to an objective, and to what is done to the forget set first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from truing.errors import RecipeError, did_you_mean
from truing.objectives.algebra import Objective
from truing.objectives.method import METHODS
from truing.objectives.methods.unlearning import RETAIN
from truing.objectives.recipe import build
from truing.unlearning.schema import UnlearnRecipe

REFUSING: Mapping[str, str] = {"idk": "nll", "dpo-refusal": "dpo"}
"""Methods that teach refusals in place of the answers, and the objective that they use."""

FORGETTING = ("ga", "graddiff", "npo", "simnpo", "rmu", *REFUSING)


@dataclass(frozen=True)
class Chosen:
    """What a recipe's method comes to.

    Attributes:
        spec: what ``objective`` says in a recipe of ``truing align``.
        objective: the same, built.
        relabel: what is done to the forget set.
    """

    spec: Any
    objective: Objective
    relabel: tuple[str, ...] = ()


def choose(recipe: UnlearnRecipe) -> Chosen:
    """Method and retain loss as one objective.

    Raises:
        TruingError: if the method is unknown, would teach what is to be forgotten, needs a retain set that the recipe
            does not name, or a key has no effect.
    """
    spec, relabel = _method(recipe.method)
    spec, weight = _own_weight(spec, recipe)
    own = build(spec, "method")
    if not relabel and "unwanted" not in own.data and not own.compares:
        raise RecipeError(
            f"method {own.name!r} teaches the answers of the forget set, instead of making the model forget them",
            where="method",
            allowed=f"{', '.join(FORGETTING)}, or an objective that moves away from answers",
        )
    if RETAIN in own.part_data and recipe.retain is None:
        raise RecipeError(
            f"method {own.name!r} needs a retain set, and the recipe names none",
            where="retain",
            fix="add e.g. `retain: retain.jsonl`, or take a method without one, e.g. ga",
        )
    kept = _retain_loss(recipe, own)
    if kept == "none":
        if weight is not None:
            raise RecipeError(
                "retain_weight has no effect: no retain loss is added to the method",
                where="retain_weight",
                fix="remove it, set retain_loss, or give the method's own coefficient, e.g. "
                "method: {name: rmu, alpha: 100}",
            )
        return Chosen(spec, own, relabel)
    terms = [*(spec if isinstance(spec, list) else [spec]), _term(kept, 1.0 if weight is None else weight)]
    return Chosen(terms, build(terms, "method"), relabel)


def _method(method: Any) -> tuple[Any, tuple[str, ...]]:
    """The objective that a method stands for, and what is done to the forget set."""
    if isinstance(method, list):
        return method, ()
    spec = {"name": method} if isinstance(method, str) else method
    name = spec.get("name") if isinstance(spec, Mapping) else None
    if not isinstance(name, str):
        return spec, ()
    key = name.strip().lower().replace("_", "-")
    if key in REFUSING:
        return {**spec, "name": REFUSING[key]}, ("refusal",)
    if name not in METHODS:
        raise RecipeError(
            f"unknown method {name!r}",
            where="method",
            allowed=f"{', '.join(FORGETTING)}, or any objective that `truing methods` lists",
            fix=did_you_mean(key, [*FORGETTING, *(known.name for known in METHODS)]),
        )
    return spec, ()


def _own_weight(spec: Any, recipe: UnlearnRecipe) -> tuple[Any, float | None]:
    """The spec with ``retain_weight`` where the method has a coefficient of that name, else the weight that is left."""
    weight = recipe.retain_weight
    if weight is None or recipe.retain_loss is not None or not isinstance(spec, Mapping):
        return spec, weight
    known = [parameter.name for parameter in METHODS.get(spec["name"], "method").parameters]
    return ({**spec, "retain_weight": weight}, None) if "retain_weight" in known else (spec, weight)


def _retain_loss(recipe: UnlearnRecipe, own: Objective) -> str:
    if recipe.retain_loss is None:
        return "none" if recipe.retain is None or RETAIN in own.part_data else "nll"
    if recipe.retain_loss != "none" and recipe.retain is None:
        raise RecipeError(
            f"retain_loss: {recipe.retain_loss} needs a retain set, and the recipe names none",
            where="retain",
            fix="add e.g. `retain: retain.jsonl`, or remove retain_loss",
        )
    return recipe.retain_loss


def _term(name: str, weight: float) -> dict[str, Any]:
    return {"name": name, "part": RETAIN, **({} if weight == 1 else {"weight": weight})}
