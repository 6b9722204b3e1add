"""Hyper-parameters with their bounds: one check for recipes, the command line and Python."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

from truing.errors import ObjectiveError, did_you_mean


@dataclass(frozen=True)
class Doc:
    """What a hyper-parameter does, and why its bounds are what they are.

    Args:
        text: what it does, in a few words.
        bound: the bound, a semicolon, and the reason for it.
        public: of a text, that it is only ever read as text, so that strangers may set it, e.g. in a request to a
            server. A text may else be a file, a model, an address or an expression; numbers and choices are harmless.
    """

    text: str
    bound: str = ""
    public: bool = False


@dataclass(frozen=True)
class Parameter:
    """One hyper-parameter of a method or a modifier."""

    name: str
    default: Any
    annotation: Any
    doc: Doc

    def check(self, value: Any, where: str) -> Any:
        """The value, converted where that loses nothing.

        Raises:
            ObjectiveError: if it is out of bounds or of the wrong type; names the bound and its reason.
        """
        try:
            return TypeAdapter(self.annotation).validate_python(value, strict=True)
        except ValidationError as error:
            reason = error.errors()[0]["msg"].replace("Input should", "it should")
            raise ObjectiveError(
                f"{self.name} = {value!r} cannot be used: {reason}",
                where=where,
                allowed=self.doc.bound or None,
                fix=_number_in_quotes(self.name, value)
                or f"the default is {self.name}={self.default!r} ({self.doc.text})",
            ) from None


def _number_in_quotes(name: str, value: Any) -> str | None:
    """The remedy for the commonest slip in YAML, whose numbers need a point before an exponent."""
    if not isinstance(value, str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return f"write {name}: {number!r} without quotes; YAML reads 1e-3 as text, and 1.0e-3 as a number"


def parameters_of(function: Callable[..., Any], *, skip: int = 0) -> tuple[Parameter, ...]:
    """The hyper-parameters of a function, from its annotations.

    Args:
        function: every parameter is annotated with :class:`Doc`, and with pydantic constraints if it has bounds.
        skip: how many leading parameters are not hyper-parameters.

    Raises:
        TypeError: if a parameter has no :class:`Doc`.
    """
    hints = get_type_hints(function, include_extras=True)
    found = []
    for name, parameter in list(inspect.signature(function).parameters.items())[skip:]:
        annotation = hints[name]
        extras = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
        doc = next((extra for extra in extras if isinstance(extra, Doc)), None)
        if doc is None:
            raise TypeError(f"{function.__name__}: annotate {name} with Doc(...)")
        found.append(Parameter(name, parameter.default, annotation, doc))
    return tuple(found)


def bound_values(
    owner: str, parameters: Sequence[Parameter], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Positional and keyword arguments as one mapping by name.

    Raises:
        ObjectiveError: if there are more values than hyper-parameters, or two for the same one.
    """
    names = [parameter.name for parameter in parameters]
    if len(args) > len(names):
        raise ObjectiveError(
            f"{owner} takes {len(names)} hyper-parameters, but {len(args)} values were given",
            allowed=", ".join(names) or "none",
        )
    values = dict(zip(names, args, strict=False))
    twice = [name for name in kwargs if name in values]
    if twice:
        raise ObjectiveError(f"{owner} got two values for {twice[0]!r}", fix="give it by position or by name")
    return {**values, **kwargs}


def checked(
    owner: str, parameters: Sequence[Parameter], values: Mapping[str, Any], where: str | None
) -> dict[str, Any]:
    """Check every value.

    Args:
        owner: what the hyper-parameters belong to, e.g. ``"objective 'dpo'"``.
        parameters: those that it has.
        values: by name.
        where: key path in a recipe; the error then names the key.

    Raises:
        ObjectiveError: on an unknown name or a value out of bounds.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in values:
        if name not in known:
            raise ObjectiveError(
                f"{owner} has no hyper-parameter {name!r}",
                where=f"{where}.{name}" if where else None,
                allowed=", ".join(known) or "none",
                fix=did_you_mean(str(name), known) or "remove it",
            )
    return {
        name: known[name].check(value, f"{where}.{name}" if where else owner) for name, value in values.items()
    }


# Bounds that many hyper-parameters have.
POSITIVE = Field(gt=0, allow_inf_nan=False)
NON_NEGATIVE = Field(ge=0, allow_inf_nan=False)
BELOW_HALF = Field(ge=0, lt=0.5, allow_inf_nan=False)
