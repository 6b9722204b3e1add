"""From a file and ``key=value`` overrides to a checked recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from truing.errors import RecipeError, did_you_mean
from truing.recipe.schema import Recipe, Section
from truing.recipe.yaml_reader import KeyPath, Located, dotted, parse_value, read_file

# A mapping that may also be written as one word; that word is the value of this key.
_SHORT_FORMS = {"model": "name", "data": "path", "objective": "name", "peft": "name"}


def load_recipe(path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read and check a recipe file.

    Args:
        path: the YAML file.
        overrides: ``key=value`` texts, e.g. ``training.epochs=2`` or ``objective.beta=0.05``.

    Raises:
        RecipeError: on anything that is wrong; the message names file, line and key.
    """
    document = read_file(Path(path))
    return _check(document, overrides)


def parse_recipe(value: Mapping[str, Any], overrides: Iterable[str] = ()) -> Recipe:
    """Check a recipe given as a mapping."""
    return _check(Located(dict(value), {}, "the recipe"), overrides)


def _check(document: Located, overrides: Iterable[str]) -> Recipe:
    if not isinstance(document.value, dict):
        raise RecipeError(
            f"a recipe is a mapping of keys, not {_kind(document.value)}",
            where=document.name,
            fix="start with `model: NAME`",
        )
    value: Any = document.value
    for text in overrides:
        value = _override(value, text)
    try:
        return Recipe.model_validate(value)
    except ValidationError as error:
        raise _explain(error, document) from None


def _override(value: dict[str, Any], text: str) -> dict[str, Any]:
    key, separator, raw = text.partition("=")
    if not separator or not key.strip():
        raise RecipeError(
            f"the override {text!r} is no key=value", where="the command line", fix="write e.g. training.epochs=2"
        )
    path: list[str | int] = []
    for part in key.strip().replace("[", ".").replace("]", "").split("."):
        path.append(int(part) if part.isdigit() else part)
    try:
        parsed = parse_value(raw)
    except RecipeError as error:
        raise RecipeError(error.what, where=f"the override {text!r}", fix=error.fix) from None
    return _set(value, tuple(path), parsed, text)  # type: ignore[no-any-return]


def _set(value: Any, path: KeyPath, new: Any, text: str, parent: str | int = "") -> Any:
    if not path:
        return new
    head, rest = path[0], path[1:]
    if isinstance(value, str) and parent in _SHORT_FORMS:
        value = {_SHORT_FORMS[str(parent)]: value}
    if isinstance(value, list):
        if not isinstance(head, int) or head >= len(value):
            raise RecipeError(
                f"{dotted((parent,))} is a list of {len(value)}, and {head!r} is no place in it",
                where=f"the override {text!r}",
                fix=f"use a number from 0 to {len(value) - 1}, e.g. {parent}[0]",
            )
        return [_set(item, rest, new, text, head) if i == head else item for i, item in enumerate(value)]
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise RecipeError(
            f"{parent} is {_kind(value)}, so {head!r} cannot be set inside it", where=f"the override {text!r}"
        )
    return {**value, str(head): _set(value.get(str(head)), rest, new, text, str(head))}


def _explain(error: ValidationError, document: Located) -> RecipeError:
    problems = error.errors()
    lines, fixes, where = [], [], document.name
    for number, problem in enumerate(problems[:6]):
        path: KeyPath = tuple(part for part in problem["loc"] if part not in ("auto",) and not _is_branch(part))
        if number == 0:
            where = document.where(path)
        lines.append(_sentence(problem, path))
        fix = _fix(problem, path)
        if fix:
            fixes.append(fix)
    if len(problems) > 6:
        lines.append(f"... and {len(problems) - 6} more")
    what = lines[0] if len(lines) == 1 else "the recipe has several mistakes:\n  - " + "\n  - ".join(lines)
    return RecipeError(what, where=where, fix="; ".join(dict.fromkeys(fixes)) or None)


def _is_branch(part: str | int) -> bool:
    """Parts of a location that pydantic adds for the members of a union."""
    return isinstance(part, str) and (part.startswith(("constrained-", "literal[", "function-")) or part in ("int", "none"))


def _sentence(problem: ErrorDetails, path: KeyPath) -> str:
    key = dotted(path)
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key!r}"
    if problem["type"] == "missing":
        return f"the key {key!r} is missing"
    message = problem["msg"].replace("Input should be", "must be").replace("Value error, ", "")
    return f"{key}: {message[0].lower() + message[1:]}, not {_shown(problem['input'])}"


def _fix(problem: ErrorDetails, path: KeyPath) -> str | None:
    section = _section(path[:-1])
    if section is None:
        return None
    fields = section.model_fields
    if problem["type"] == "extra_forbidden":
        guess = did_you_mean(str(path[-1]), fields)
        return guess or f"{dotted(path[:-1]) or 'a recipe'} knows {', '.join(fields)}"
    field = fields.get(str(path[-1])) if path else None
    return f"{path[-1]}: {field.description}" if field is not None and field.description else None


def _section(path: KeyPath) -> type[BaseModel] | None:
    """The section of the schema that a key path leads to."""
    section: type[BaseModel] = Recipe
    for part in path:
        field = section.model_fields.get(str(part))
        if field is None:
            return None
        options = [field.annotation, *get_args(field.annotation)]
        found = next((o for o in options if isinstance(o, type) and issubclass(o, Section)), None)
        if found is None:
            return None
        section = found
    return section


def _kind(value: Any) -> str:
    names = {str: "text", list: "a list", dict: "a mapping", bool: "true/false", int: "a number", float: "a number"}
    return names.get(type(value), "nothing" if value is None else type(value).__name__)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
