"""From arena.yaml and ``key=value`` overrides to a checked arena."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from truing.arenas.schema import ArenaRecipe
from truing.errors import RecipeError, TruingError
from truing.recipe import Recipe
from truing.recipe.load import explain, override
from truing.recipe.yaml_reader import KeyPath, Located, read_file

_OWN = {
    "objective": "list objectives under `objectives`",
    "output": "put `output` at the top level; every cell gets a folder in it",
}


@dataclass(frozen=True)
class Arena:
    """A checked arena.

    Attributes:
        recipe: as written.
        base: the base with every default filled in; objective and output are placeholders.
        document: where it was read from, for messages.
    """

    recipe: ArenaRecipe
    base: Recipe
    document: Located

    @property
    def output(self) -> Path:
        return Path(self.recipe.output)

    def error(self, error: TruingError, path: KeyPath) -> RecipeError:
        """An error about a key, with the line on which it stands."""
        where = self.document.where(path)
        inner = error.where if error.where and not where.endswith(error.where) else None
        return RecipeError(
            error.what, where=f"{where} ({inner})" if inner else where, allowed=error.allowed, fix=error.fix
        )

    def cell_recipe(self, values: dict[str, Any], path: KeyPath) -> Recipe:
        """Check the recipe of one cell; ``path`` is the key that made it differ from the base.

        Raises:
            RecipeError: naming that key and its line.
        """
        try:
            return Recipe.model_validate(values)
        except ValidationError as error:
            raise explain(error, values, self.document, Recipe, path) from None


def load_arena(path: str | Path, overrides: Iterable[str] = ()) -> Arena:
    """Read and check an arena file.

    Args:
        path: the YAML file.
        overrides: ``key=value`` texts, e.g. ``base.training.max_steps=10`` or ``grid.seeds=[0,1]``.

    Raises:
        RecipeError: on anything that is wrong; the message names file, line and key.
    """
    return _checked(read_file(Path(path)), overrides)


def parse_arena(value: Mapping[str, Any], overrides: Iterable[str] = ()) -> Arena:
    """Check an arena given as a mapping."""
    return _checked(Located(dict(value), {}, "the arena"), overrides)


def _checked(document: Located, overrides: Iterable[str]) -> Arena:
    value = document.value
    if not isinstance(value, dict):
        raise RecipeError(
            "an arena is a mapping of keys", where=document.name, fix="it needs base, objectives and output"
        )
    for text in overrides:
        value = override(value, text)
    try:
        recipe = ArenaRecipe.model_validate(value)
    except ValidationError as error:
        raise explain(error, value, document, ArenaRecipe) from None
    return Arena(recipe, _base(recipe, document), document)


def _base(recipe: ArenaRecipe, document: Located) -> Recipe:
    for key, remedy in _OWN.items():
        if key in recipe.base:
            raise RecipeError(
                f"the base of an arena has no {key!r}", where=document.where(("base", key)), fix=remedy
            )
    values = {**recipe.base, "objective": "dpo", "output": recipe.output}
    try:
        base = Recipe.model_validate(values)
    except ValidationError as error:
        raise explain(error, values, document, Recipe, ("base",)) from None
    if base.data.eval_path is None and base.data.eval_fraction == 0:
        raise RecipeError(
            "an arena needs held-out records to compare methods on",
            where=document.where(("base", "data", "eval_fraction")),
            fix="set data.eval_fraction above 0, or data.eval_path",
        )
    if base.data.streaming:
        raise RecipeError(
            "an arena trains on the same records again and again, so they cannot be streamed",
            where=document.where(("base", "data", "streaming")),
            fix="remove data.streaming, or use data.limit",
        )
    return base
