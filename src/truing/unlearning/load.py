"""From an unlearning recipe to a checked job: what is trained, by which mask, and what is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.errors import RecipeError, TruingError, did_you_mean
from truing.objectives.methods.unlearning import RETAIN
from truing.policies.loading import resolve
from truing.recipe import Recipe
from truing.recipe.load import validated
from truing.recipe.yaml_reader import KeyPath, Located, read_file
from truing.training.weight_mask import check_weight_mask
from truing.unlearning.methods import choose
from truing.unlearning.schema import MaskSection, UnlearnRecipe
from truing.unlearning.suite import Suite
from truing.unlearning.weight_mask import RULES, Selection, gamma_of

MASK_FILE = "mask.safetensors"

_KEYS = frozenset(UnlearnRecipe.model_fields)


@dataclass(frozen=True)
class Job:
    """A checked unlearning recipe.

    Attributes:
        recipe: as written.
        align: what is trained.
        selection: the mask that is made from the starting model; ``None`` without one, or where it is a file.
        suite: what is measured afterwards; ``None`` where nothing is.
    """

    recipe: UnlearnRecipe
    align: Recipe
    selection: Selection | None
    suite: Suite | None

    @property
    def output(self) -> Path:
        return Path(self.recipe.output)

    @property
    def unmasked(self) -> Recipe:
        """The recipe before the mask exists; the same one where no mask is made."""
        if self.selection is None:
            return self.align
        training = self.align.training.model_copy(update={"weight_mask": None})
        return self.align.model_copy(update={"training": training})


def load_job(path: str | Path, overrides: Iterable[str] = ()) -> Job:
    """Read and check an unlearning recipe.

    Args:
        path: the YAML file.
        overrides: ``key=value`` texts, e.g. ``training.epochs=2`` or ``mask.keep=0.1``.

    Raises:
        TruingError: on anything that is wrong; the message names file, line and key.
    """
    return _job(read_file(Path(path)), overrides)


def parse_job(value: UnlearnRecipe | Mapping[str, Any], overrides: Iterable[str] = ()) -> Job:
    """Check an unlearning recipe given as a mapping."""
    if isinstance(value, UnlearnRecipe):
        value = value.model_dump(mode="json", exclude_unset=True)
    return _job(Located(dict(value), {}, "the recipe"), overrides)


def _job(document: Located, overrides: Iterable[str]) -> Job:
    recipe = validated(document, overrides, UnlearnRecipe)
    with _Located(document, ("method",)):
        chosen = choose(recipe)
    selection = None
    if isinstance(recipe.mask, MaskSection):
        with _Located(document, ("mask",)):
            selection = _selection(recipe.mask, has_retain=recipe.retain is not None)
    if recipe.training.weight_mask is not None:
        raise RecipeError(
            "in a recipe of `truing unlearn` the mask has a key of its own",
            where=document.where(("training", "weight_mask")),
            fix="write `mask: FILE` at the top level",
        )
    uses_retain = RETAIN in chosen.objective.part_data
    if recipe.retain is not None and not uses_retain and (selection is None or selection.rule != "wagle"):
        raise RecipeError(
            "the retain set has no effect: neither the method nor a mask uses it",
            where=document.where(("retain",)),
            fix="remove it, or set retain_loss: nll",
        )
    mask = str(Path(recipe.output) / MASK_FILE) if selection is not None else recipe.mask
    parts = {RETAIN: recipe.retain.model_dump(mode="json")} if recipe.retain is not None and uses_retain else {}
    align = Recipe.model_validate(
        {
            "model": recipe.model.model_dump(mode="json"),
            "data": {
                **recipe.forget.model_dump(mode="json"),
                **recipe.data.model_dump(mode="json"),
                "relabel": list(chosen.relabel),
                "parts": parts,
            },
            "objective": chosen.spec,
            "training": {**recipe.training.model_dump(mode="json"), "weight_mask": mask},
            "reference": recipe.reference.model_dump(mode="json"),
            "evaluation": recipe.evaluation.model_dump(mode="json"),
            "alarms": recipe.alarms.model_dump(mode="json"),
            "output": recipe.output,
        }
    )
    with _Located(document, ("mask",)):
        check_weight_mask(align)
    return Job(recipe, align, selection, _suite(recipe, document))


def _selection(section: MaskSection, *, has_retain: bool) -> Selection:
    """A rule of the recipe as the settings of a mask.

    Raises:
        RecipeError: if the rule is unknown, or there is no retain set for WAGLE.
    """
    if section.rule not in RULES:
        raise RecipeError(
            f"unknown rule {section.rule!r}",
            where="mask.rule",
            allowed=", ".join(RULES),
            fix=did_you_mean(section.rule, RULES),
        )
    if section.rule == "wagle" and not has_retain:
        raise RecipeError(
            "WAGLE weighs forgetting against retaining, and the recipe names no retain set",
            where="retain",
            fix="add e.g. `retain: retain.jsonl`, or take another rule, e.g. `mask: {rule: gradient}`",
        )
    try:
        gamma = gamma_of(str(section.gamma))
    except TruingError as error:
        raise RecipeError(error.what, where="mask.gamma", allowed=error.allowed) from None
    return Selection(rule=section.rule, keep=section.keep, gamma=gamma, seed=section.seed)


def _suite(recipe: UnlearnRecipe, document: Located) -> Suite | None:
    """The questions that are asked afterwards; a mistake there must not wait until the end of training."""
    if recipe.measure is None:
        return None
    with _Located(document, ("measure", "retrained")):
        if recipe.measure.retrained is not None:
            resolve(recipe.measure.retrained)
    with _Located(document, ("measure", "data")):
        return Suite.load(recipe.measure.data)


class _Located:
    """Adds file, line and key to an error that was found in a value."""

    def __init__(self, document: Located, path: KeyPath) -> None:
        self.document = document
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TruingError):
            # A key that the error names itself is nearer than the one that was being checked.
            named = tuple((error.where or "").split("."))
            path: KeyPath = (
                named if all(part.isidentifier() for part in named) and named[0] in _KEYS else self.path
            )
            where = self.document.where(path)
            if error.where and path is self.path and error.where not in where:
                where = f"{where} ({error.where})"
            raise type(error)(error.what, where=where, allowed=error.allowed, fix=error.fix) from None
