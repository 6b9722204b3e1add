"""A part of a recipe: what all of them have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a recipe: frozen, strict about names, checked on construction."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def expanded(value: Any, **stands_for: str) -> Any:
    """A mapping in which a text stands for the mapping that has it under the key named here."""
    if not isinstance(value, dict):
        return value
    return {
        **value,
        **{key: {name: value[key]} for key, name in stands_for.items() if isinstance(value.get(key), str)},
    }
