"""From a file and ``key=value`` overrides to a checked recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from truing.errors import RecipeError, did_you_mean
from truing.recipe.schema import Recipe
from truing.recipe.section import Section
from truing.recipe.yaml_reader import KeyPath, Located, dotted, parse_value, read_file

# A mapping that may also be written as one word; that word is the value of this key.
_SHORT_FORMS = {
    "model": "name",
    "data": "path",
    "objective": "name",
    "peft": "name",
    "method": "name",
    "forget": "path",
    "retain": "path",
    "measure": "data",
}

Checked = TypeVar("Checked", bound=Section)


def load_recipe(path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read and check a recipe file.

    Args:
        path: the YAML file.
        overrides: ``key=value`` texts, e.g. ``training.epochs=2`` or ``objective.beta=0.05``.

    Raises:
        RecipeError: on anything that is wrong; the message names file, line and key.
    """
    return from_file(path, overrides, Recipe)


def parse_recipe(value: Mapping[str, Any], overrides: Iterable[str] = ()) -> Recipe:
    """Check a recipe given as a mapping."""
    return from_mapping(value, overrides, Recipe)


def from_file(path: str | Path | None, overrides: Iterable[str], schema: type[Checked]) -> Checked:
    """Read and check a recipe of any kind; without a path overrides say everything.

    Raises:
        RecipeError: on anything that is wrong; the message names file, line and key.
    """
    document = Located({}, {}, "the command line") if path is None else read_file(Path(path))
    return validated(document, overrides, schema)


def from_mapping(value: Mapping[str, Any], overrides: Iterable[str], schema: type[Checked]) -> Checked:
    """Check a recipe of any kind that is given as a mapping.

    Raises:
        RecipeError: on anything that is wrong.
    """
    return validated(Located(dict(value), {}, "the recipe"), overrides, schema)


def validated(document: Located, overrides: Iterable[str], schema: type[Checked]) -> Checked:
    """A document with overrides, checked by a schema.

    Args:
        document: a recipe of any kind.
        overrides: ``key=value`` texts.
        schema: what it may say.

    Raises:
        RecipeError: on anything that is wrong; the message names file, line and key.
    """
    if not isinstance(document.value, dict):
        raise RecipeError(
            f"a recipe is a mapping of keys, not {_kind(document.value)}",
            where=document.name,
            fix="start with `model: NAME`",
        )
    value: Any = document.value
    for text in overrides:
        value = override(value, text)
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        raise explain(error, value, document, schema) from None


def override(value: dict[str, Any], text: str) -> dict[str, Any]:
    """A document with one ``key=value`` applied.

    Raises:
        RecipeError: if the text is no such thing, or leads to a place that cannot exist.
    """
    key, separator, raw = text.partition("=")
    if not separator or not key.strip():
        raise RecipeError(
            f"the override {text!r} is no key=value", where="the command line", fix="write e.g. training.epochs=2"
        )
    path: list[str | int] = []
    for part in key.strip().replace("[", ".").replace("]", "").split("."):
        path.append(int(part) if part.isdecimal() else part)
    try:
        parsed = parse_value(raw)
    except RecipeError as error:
        raise RecipeError(error.what, where=f"the override {text!r}", fix=error.fix) from None
    if path[0] == "objective" and len(path) > 1:
        value = {"objective": Recipe.model_fields["objective"].default, **value}
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


def explain(
    error: ValidationError,
    value: Any,
    document: Located,
    schema: type[Section] = Recipe,
    inside: KeyPath = (),
) -> RecipeError:
    """One error for all mistakes; what the members of a union say about one key is one sentence.

    Args:
        error: what pydantic found.
        value: what it was given.
        document: where the value comes from.
        schema: what the value was to be.
        inside: key path of the value in the document.
    """
    by_key: dict[KeyPath, list[ErrorDetails]] = {}
    for problem in error.errors():
        by_key.setdefault(key_path(problem, value), []).append(problem)
    keys = list(by_key)
    sentences = [_sentence(by_key[path], (*inside, *path)) for path in keys[:6]]
    if len(keys) > 6:
        sentences.append(f"... and {len(keys) - 6} more")
    what = (
        sentences[0]
        if len(sentences) == 1
        else "the recipe has several mistakes:\n  - " + "\n  - ".join(sentences)
    )
    fixes = [fix for path in keys[:6] if (fix := _fix(by_key[path][0], path, schema))]
    return RecipeError(
        what, where=document.where((*inside, *keys[0])), fix="; ".join(dict.fromkeys(fixes)) or None
    )


def key_path(problem: ErrorDetails, value: Any) -> KeyPath:
    """Where a problem lies in a document: pydantic's location without the names of union members."""
    location = problem["loc"]
    path: list[str | int] = []
    for number, part in enumerate(location):
        if _holds(value, part):
            value = value[part]
        elif not (problem["type"] == "missing" and number == len(location) - 1):
            continue
        path.append(part)
    return tuple(path)


def _holds(value: Any, part: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value


def _sentence(problems: list[ErrorDetails], path: KeyPath) -> str:
    key = dotted(path)
    first = problems[0]
    if first["type"] == "extra_forbidden":
        return f"unknown key {key!r}"
    if first["type"] == "missing":
        return f"the key {key!r} is missing"
    wanted = " or ".join(dict.fromkeys(_wanted(problem) for problem in problems))
    return f"{key or 'the recipe'} must be {wanted}, not {_shown(first['input'])}"


_COLLECTIONS = {"Dictionary": "a mapping"}


def _wanted(problem: ErrorDetails) -> str:
    """What pydantic asked for, as the end of "must be ..."."""
    plain = {"model_type": "a mapping", "dict_type": "a mapping", "list_type": "a list", "string_type": "text"}
    if problem["type"] in plain:
        return plain[problem["type"]]
    if problem["type"] == "too_short":
        least = problem["ctx"]["min_length"]
        kind = _COLLECTIONS.get(problem["ctx"]["field_type"], "a list")
        return f"{kind} with at least {least} item{'' if least == 1 else 's'}"
    message = problem["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return message.split(", unable to parse")[0].replace("a valid ", "a ")


def _fix(problem: ErrorDetails, path: KeyPath, schema: type[Section]) -> str | None:
    section = _section(path[:-1], schema)
    if section is None:
        return None
    fields = section.model_fields
    if problem["type"] == "extra_forbidden":
        guess = did_you_mean(str(path[-1]), fields)
        return guess or f"{dotted(path[:-1]) or 'the top level'} knows {', '.join(fields)}"
    field = fields.get(str(path[-1])) if path else None
    return f"{path[-1]}: {field.description}" if field is not None and field.description else None


def _section(path: KeyPath, schema: type[Section]) -> type[BaseModel] | None:
    """The section of the schema that a key path leads to; places in lists are passed over."""
    section: type[BaseModel] = schema
    for part in path:
        if isinstance(part, int):
            continue
        field = section.model_fields.get(part)
        if field is None:
            return None
        options = [field.annotation, *get_args(field.annotation)]
        found = next((o for o in options if isinstance(o, type) and issubclass(o, Section)), None)
        if found is None:
            return None
        section = found
    return section


def _kind(value: Any) -> str:
    names = {
        str: "text",
        list: "a list",
        dict: "a mapping",
        bool: "true/false",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "nothing" if value is None else type(value).__name__)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
