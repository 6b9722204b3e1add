"""Which objectives are built from the same pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from truing.objectives import METHODS


@cache
def pieces(name: str) -> frozenset[str]:
    """What an objective is composed of: kinds of terms, scores, links, margins; not its numbers."""
    objective = METHODS.get(name)()
    found = {f"needs {need}" for need in objective.requires}
    for _, term in objective.terms:
        found |= set(_of(type(term).__name__, term))
    return frozenset(found)


def nearest(name: str, count: int = 3) -> list[str]:
    """The methods that share the largest part of their pieces, nearest first."""
    own = pieces(name)

    def distance(other: str) -> tuple[float, str]:
        theirs = pieces(other)
        return 1 - len(own & theirs) / len(own | theirs), other

    others = sorted((method.name for method in METHODS if method.name != name), key=distance)
    return [other for other in others if own & pieces(other)][:count]


def _of(path: str, value: Any) -> Iterator[str]:
    yield path
    for part in fields(value):
        inner = getattr(value, part.name)
        if is_dataclass(inner):
            yield from _of(f"{path}.{part.name}:{type(inner).__name__}", inner)
        elif isinstance(inner, float):
            if inner not in (part.default, 0.0, 1.0):
                yield f"{path}.{part.name}"
        elif inner is not None:
            yield f"{path}.{part.name}={inner}"
