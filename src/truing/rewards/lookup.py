"""Pieces of rewards by name, for recipes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truing.errors import RecipeError, did_you_mean
from truing.registered import RegisteredFunction
from truing.rewards.methods import PLAIN, REWARDS
from truing.rewards.plain import PlainPiece

Piece = RegisteredFunction[Any, Any] | PlainPiece[Any, Any]

_KEYS = {
    "reward transform": "transform",
    "reward combiner": "combine",
    "reward weighter": "weights",
    "reward": "rewards",
}


def pieces(kind: str) -> list[Piece]:
    """All pieces of a kind, by name."""
    found: list[Piece] = [entry for registry in (REWARDS, PLAIN) for entry in registry if entry.kind == kind]
    return sorted(found, key=lambda entry: entry.name)


def piece(name: str, kind: str, where: str) -> Piece:
    """The piece of that name or alias.

    Args:
        name: as in a recipe.
        kind: ``reward transform``, ``reward combiner``, ``reward weighter`` or ``reward``.
        where: key path in the recipe.

    Raises:
        RecipeError: if there is none, or it is of another kind.
    """
    own = pieces(kind)
    for registry in (REWARDS, PLAIN):
        if name in registry:
            found: Piece = registry.get(name)
            if found.kind != kind:
                raise RecipeError(
                    f"{found.name!r} is a {found.kind}, not a {kind}",
                    where=where,
                    allowed=", ".join(entry.name for entry in own),
                    fix=f"put it under {_KEYS[found.kind]!r}" if found.kind in _KEYS else None,
                )
            return found
    known = [known for entry in own for known in (entry.name, *entry.aliases)]
    raise RecipeError(
        f"unknown {kind} {name!r}",
        where=where,
        allowed=", ".join(entry.name for entry in own),
        fix=did_you_mean(name, known),
    )


def named(spec: object, kind: str, where: str) -> tuple[str, dict[str, Any]]:
    """Name and hyper-parameters from a name, or a mapping with ``name``.

    Raises:
        RecipeError: if it is neither.
    """
    if isinstance(spec, str):
        return spec, {}
    if isinstance(spec, Mapping) and isinstance(spec.get("name"), str):
        return spec["name"], {str(key): value for key, value in spec.items() if key != "name"}
    raise RecipeError(
        f"a {kind} cannot be made of {spec!r}",
        where=where,
        allowed="a name, or a mapping with `name` and hyper-parameters",
        fix="e.g. `{name: clip, low: 0}`",
    )
