"""What requests may choose: methods that only compute, with settings that are numbers, choices, or text and no more.

A setting that is a text may be a file, a model, an address or an expression that takes for ever; a request may set it
only where the method says that it is read as text (:attr:`~truing.parameters.Doc.public`). What the server's own recipe
names may be named again, as it stands there.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar, Union, get_args, get_origin

from truing.errors import RecipeError
from truing.parameters import Parameter
from truing.rewards.lookup import named

Made = TypeVar("Made")


class Entry(Protocol):
    """A registered method."""

    @property
    def name(self) -> str: ...

    @property
    def parameters(self) -> tuple[Parameter, ...]: ...

    @property
    def reaches(self) -> str: ...


def public(parameter: Parameter) -> bool:
    """Whether a request may set a hyper-parameter."""
    return parameter.doc.public or _harmless(parameter.annotation)


def _harmless(annotation: Any) -> bool:
    """Whether values of a type are numbers, yes or no, one of some texts, or collections of these."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _harmless(inside[0])
    if origin is Literal:
        return True
    if origin in (Union, types.UnionType, list, tuple):
        return all(_harmless(one) for one in inside if one is not Ellipsis)
    if origin is dict:  # keys are names, which are looked up
        return inside[0] is str and _harmless(inside[1])
    return annotation in (int, float, bool, type(None))


class Permitted(Generic[Made]):
    """Methods of one kind, as requests may choose them.

    Args:
        kind: what they are, for error messages.
        entry: the method of a name; ``None`` where it has no settings.
        make: from what is said to what is meant.
        own: what the server's recipe says; it may also be named by its name or label (``as``) alone.
        made: what was made of these already.
    """

    def __init__(
        self,
        kind: str,
        entry: Callable[[str, str], Entry | None],
        make: Callable[[object, str], Made],
        own: Sequence[object] = (),
        made: Sequence[Made] = (),
    ) -> None:
        self._kind, self._entry, self._make = kind, entry, make
        self._own: dict[str, object] = {}
        self._made = {_key(spec): one for spec, one in zip(own, made, strict=False)}
        for spec in own:
            name, values = named(spec, kind, "the server's recipe")
            for key in (_key(spec), name, values.get("as")):
                if isinstance(key, str):
                    self._own.setdefault(key, spec)

    def __call__(self, spec: object, where: str) -> Made:
        """What a request means. What the server's recipe names is made once.

        Raises:
            RecipeError: if it is not for a request to choose.
            TruingError: if it is unknown or cannot be.
        """
        own = self.of_server(spec)
        if own is None:
            self.check(spec, where)
            return self._make(spec, where)
        key = _key(own)
        if key not in self._made:
            self._made[key] = self._make(own, where)
        return self._made[key]

    def of_server(self, spec: object) -> object | None:
        """What the server's recipe says, if this names it."""
        found = self._own.get(spec) if isinstance(spec, str) else self._own.get(_key(spec))
        if found is None and isinstance(spec, Mapping) and set(spec) == {"name"}:
            return self._own.get(str(spec["name"]))
        return found

    def check(self, spec: object, where: str) -> None:
        """Refuse what is not for a request to choose.

        Raises:
            RecipeError: if it is not.
            TruingError: on an unknown name.
        """
        if self.of_server(spec) is not None:
            return
        name, values = named(spec, self._kind, where)
        entry = self._entry(name, where)
        if entry is None:
            return
        if entry.reaches:
            raise RecipeError(
                f"the {self._kind} {entry.name!r} {entry.reaches}, which is not for a request to ask",
                where=where,
                fix="whoever runs the server may put it into the server's recipe",
            )
        for parameter in entry.parameters:
            if parameter.name in values and not public(parameter):
                raise RecipeError(
                    f"{parameter.name} of {entry.name!r} is not for a request to set: {parameter.doc.text}",
                    where=f"{where}.{parameter.name}",
                    allowed=", ".join(one.name for one in entry.parameters if public(one)) or "no settings",
                    fix="leave it out, or name what the server's own recipe has",
                )


def _key(spec: object) -> str:
    return json.dumps(spec, sort_keys=True, default=str) if isinstance(spec, Mapping) else str(spec)
