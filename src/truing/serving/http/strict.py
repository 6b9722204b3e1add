"""Bodies of requests that refuse what they do not know, instead of leaving it out in silence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from truing.errors import did_you_mean

_DEEPEST, _MOST, _LONGEST = 8, 256, 4096


class Body(BaseModel):
    """A part of a request: strict about names and types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        """Ends at the first unknown name: a body can hold a hundred thousand of them."""
        unknown = next((name for name in value if name not in cls.model_fields), None) if _mapping(value) else None
        if unknown is None:
            return value
        guess = did_you_mean(str(unknown)[:64], cls.model_fields)
        raise PydanticCustomError(
            "unknown_parameter",
            "unknown parameter {name}{guess}",
            {"name": repr(str(unknown)[:64]), "guess": f"; {guess}" if guess else "", "param": str(unknown)[:64]},
        )


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


class Off:
    """Marks a parameter of OpenAI's that this server does not have.

    Args:
        why: what a client is told that asks for it.
        values: which mean that it is not asked for, and are accepted beside null.
    """

    def __init__(self, why: str, *values: Any) -> None:
        self.why = why
        self.values = values

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"enum": [None, *self.values], "description": f"Not supported: {self.why}."}

    def _check(self, value: Any) -> Any:
        if value is None or any(_same(value, own) for own in self.values):
            return value
        raise PydanticCustomError("unsupported_parameter", "not supported: {why}", {"why": self.why})


def _same(value: Any, other: Any) -> bool:
    """Whether values are equal, where true is not 1."""
    return isinstance(value, bool) is isinstance(other, bool) and bool(value == other)


def _settings(value: Any) -> Any:
    for count, (depth, part) in enumerate(_parts(value, 0)):
        if count > _MOST or depth > _DEEPEST:
            raise _wrong(f"more than {_MOST} values, or more than {_DEEPEST} within each other")
        if isinstance(part, str) and len(part) > _LONGEST:
            raise _wrong(f"a text of more than {_LONGEST:,} characters")
        number = isinstance(part, int | float) and not isinstance(part, bool)
        if number and not (math.isfinite(part) if isinstance(part, float) else abs(part) < 1 << 63):
            raise _wrong("a number without bounds")
    return value


def _wrong(what: str) -> PydanticCustomError:
    return PydanticCustomError("invalid_value", "settings hold {what}", {"what": what})


def _parts(value: Any, depth: int) -> Iterator[tuple[int, Any]]:
    yield depth, value
    if isinstance(value, dict):
        for key, inside in value.items():
            yield depth, key
            yield from _parts(inside, depth + 1)
    elif isinstance(value, list):
        for inside in value:
            yield from _parts(inside, depth + 1)


Named = Annotated[str | dict[str, Any], AfterValidator(_settings)]
"""A registered method: its name, or a mapping with ``name`` and hyper-parameters."""
