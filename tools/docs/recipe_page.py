"""The reference of all recipe keys, from the schema."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from markup import GENERATED, plain, table
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from truing.recipe import Recipe
from truing.training.combinations import OWNED_ARGUMENTS

SHORT = {
    "model": "A text stands for `{name: TEXT}`.",
    "data": "A text stands for `{path: TEXT}`.",
    "training.peft": "A text stands for `{name: TEXT}`.",
}


def page() -> str:
    """All sections."""
    parts = [
        GENERATED,
        "# Recipe reference\n",
        "Every key of a recipe, from the schema that checks it. An unknown key is an error that names the nearest "
        "known one. On the command line `section.key=value` overrides a key, e.g. `training.epochs=2`, "
        "`objective.beta=0.05`, `objective[0].beta=0.05`. The [guide](guides/align-your-model.md) says how "
        "to use them.\n",
    ]
    for path, section in _sections("", Recipe):
        parts.append(f"## {path or 'The recipe'}\n")
        if path in SHORT:
            parts.append(SHORT[path] + "\n")
        rows = [_row(name, field) for name, field in section.model_fields.items()]
        parts.append(table(("key", "type", "default", "meaning"), rows))
    owned = ", ".join(f"`{name}`" for name in sorted(OWNED_ARGUMENTS))
    parts.append(
        "## training.arguments\n\nAny argument of transformers' `TrainingArguments` that the recipe has no key for. "
        f"These are the recipe's own and are refused: {owned}.\n"
    )
    return "\n".join(parts)


def _sections(path: str, section: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    found = [(path, section)]
    for name, field in section.model_fields.items():
        inner = _model(field.annotation)
        if inner is not None:
            found += _sections(f"{path}.{name}" if path else name, inner)
    return found


def _model(annotation: Any) -> type[BaseModel] | None:
    for option in (annotation, *get_args(annotation)):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None


def _row(name: str, field: FieldInfo) -> tuple[str, str, str, str]:
    inner = _model(field.annotation)
    shown = "a section" if inner else _type(field.annotation, field.metadata)
    if field.is_required():
        default = "**required**"
    elif inner is not None:
        default = "none" if field.default is None else "see below"
    else:
        default = f"`{_plain_default(field.default)}`"
    return f"`{name}`", shown, default, plain(" ".join(str(field.description).split()).replace("``", "`"))


def _plain_default(value: Any) -> str:
    return {None: "none", True: "true", False: "false"}.get(value, f"{value}") if _hashable(value) else f"{value}"


def _hashable(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _type(annotation: Any, metadata: list[Any] | None = None) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0], [*(metadata or []), *arguments[1:]])
    if origin is Literal:
        return " / ".join(f"`{argument}`" for argument in arguments)
    if origin in (Union, types.UnionType):
        options = [_type(a, metadata) for a in arguments if a is not type(None)]
        return " or ".join(options)
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is tuple:
        return "list of " + ", ".join(_type(a) for a in arguments)
    if origin is dict:
        return "mapping"
    names = {str: "text", int: "integer", float: "number", bool: "true / false", Any: "see objectives"}
    return names.get(annotation, str(annotation)) + _bounds(metadata or [])


def _bounds(metadata: list[Any]) -> str:
    found = []
    for item in metadata:
        for part in getattr(item, "metadata", None) or [item]:
            for kind, symbol, attribute in (
                (Gt, "&gt;", "gt"),
                (Ge, "≥", "ge"),
                (Lt, "&lt;", "lt"),
                (Le, "≤", "le"),
            ):
                if isinstance(part, kind):
                    found.append(f"{symbol} {getattr(part, attribute):,}")
    return f" ({', '.join(found)})" if found else ""
