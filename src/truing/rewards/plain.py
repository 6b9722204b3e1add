"""Pieces that need no publication: arithmetic with a name, for recipes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar

from truing.parameters import Parameter, checked, parameters_of
from truing.registry import Registry

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class PlainPiece(Generic[P, R]):
    """A named function from hyper-parameters to a scorer, a transform, a combiner or a weighter.

    Attributes:
        name: as in recipes.
        kind: ``reward``, ``reward transform``, ``reward combiner`` or ``reward weighter``.
        summary: one sentence.
        compute: the function.
        parameters: its hyper-parameters.
        reaches: see :class:`~truing.registered.RegisteredFunction`.
    """

    name: str
    kind: str
    summary: str
    compute: Callable[P, R]
    parameters: tuple[Parameter, ...]
    aliases: tuple[str, ...] = ()
    reaches: str = ""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.compute(*args, **kwargs)

    def configure(self, values: Mapping[str, Any], where: str | None = None) -> R:
        """Call it with hyper-parameters by name, as a recipe gives them.

        Raises:
            ObjectiveError: on an unknown name or a value out of bounds.
        """
        build: Callable[..., R] = self.compute
        return build(**checked(f"{self.kind} {self.name!r}", self.parameters, values, where))


PLAIN: Registry[PlainPiece[Any, Any]] = Registry("piece of a reward")


def plain(
    *, kind: str, name: str, summary: str, aliases: tuple[str, ...] = (), reaches: str = ""
) -> Callable[[Callable[P, R]], PlainPiece[P, R]]:
    """Register a function; see :class:`PlainPiece` for the arguments."""

    def register(compute: Callable[P, R]) -> PlainPiece[P, R]:
        made = PlainPiece[P, R](name, kind, summary, compute, parameters_of(compute), aliases, reaches)
        object.__setattr__(made, "__doc__", compute.__doc__)
        PLAIN.add(made)
        return made

    return register
