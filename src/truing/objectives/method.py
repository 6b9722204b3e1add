"""Registered objectives: the decorator, the hyper-parameters with their bounds, and the lookup.

A method is a function from hyper-parameters to an :class:`~truing.objectives.algebra.Objective`. The
decorator adds what users need to choose it (paper, when to use it and when not) and checks every
hyper-parameter against its annotation, so that a recipe, the command line and Python share one check.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, ParamSpec, get_args, get_origin, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

from truing.errors import ObjectiveError, did_you_mean
from truing.objectives.algebra import Objective
from truing.registry import Paper, Registry

P = ParamSpec("P")


@dataclass(frozen=True)
class Doc:
    """What a hyper-parameter does, and why its bounds are what they are."""

    text: str
    bound: str = ""


@dataclass(frozen=True)
class Parameter:
    """One hyper-parameter of a method."""

    name: str
    default: Any
    annotation: Any
    doc: Doc

    def check(self, value: Any, where: str) -> Any:
        """The value, or an :class:`ObjectiveError` that names the bound and its reason."""
        try:
            return TypeAdapter(self.annotation).validate_python(value, strict=True)
        except ValidationError as error:
            reason = error.errors()[0]["msg"].replace("Input should", "it should")
            raise ObjectiveError(
                f"{self.name} = {value!r} cannot be used: {reason}",
                where=where,
                allowed=self.doc.bound or None,
                fix=f"the default is {self.name}={self.default!r} ({self.doc.text})",
            ) from None


@dataclass(frozen=True)
class Method(Generic[P]):
    """A registered objective; calling it builds one."""

    name: str
    slug: str
    paper: Paper
    summary: str
    use_when: str
    avoid_when: str
    build: Callable[P, Objective]
    parameters: tuple[Parameter, ...]
    aliases: tuple[str, ...] = ()
    kind: str = "objective"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Objective:
        bound = inspect.signature(self.build).bind(*args, **kwargs)
        return self.configure(bound.arguments)

    def configure(self, values: Mapping[str, Any], where: str | None = None) -> Objective:
        """Build the objective from a mapping of hyper-parameters.

        Raises:
            ObjectiveError: on an unknown name or a value out of bounds.
        """
        where = where or f"objective {self.name!r}"
        known = {p.name: p for p in self.parameters}
        for name in values:
            if name not in known:
                raise ObjectiveError(
                    f"objective {self.name!r} has no hyper-parameter {name!r}",
                    where=where,
                    allowed=", ".join(known) or "none",
                    fix=did_you_mean(name, known),
                )
        checked = {name: known[name].check(value, where) for name, value in values.items()}
        return self.build(**checked).named(self.name)  # type: ignore[call-arg]

    @property
    def requires(self) -> list[str]:
        """Data layouts and signals, in words that ``truing methods`` filters by."""
        objective = self()
        return [*sorted(objective.data), *sorted(objective.requires)]


METHODS: Registry[Method[Any]] = Registry("objective")


def objective(
    *,
    name: str,
    slug: str,
    paper: Paper,
    summary: str,
    use_when: str,
    avoid_when: str,
    aliases: tuple[str, ...] = (),
) -> Callable[[Callable[P, Objective]], Method[P]]:
    """Register a function from hyper-parameters to an objective.

    Args:
        name: what recipes call it.
        slug: its entry in the catalogue of methods.
        paper: where it was published.
        summary: one sentence on what it optimises.
        use_when: one or two sentences.
        avoid_when: one or two sentences.
        aliases: other names that are understood, e.g. those of other libraries.
    """

    def register(build: Callable[P, Objective]) -> Method[P]:
        method = Method(
            name=name,
            slug=slug,
            paper=paper,
            summary=summary,
            use_when=use_when,
            avoid_when=avoid_when,
            build=build,
            parameters=tuple(_parameters(build)),
            aliases=aliases,
        )
        object.__setattr__(method, "__doc__", build.__doc__)
        METHODS.add(method)
        return method

    return register


def _parameters(build: Callable[..., Objective]) -> list[Parameter]:
    hints = get_type_hints(build, include_extras=True)
    found = []
    for name, parameter in inspect.signature(build).parameters.items():
        annotation = hints[name]
        extras = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
        doc = next((extra for extra in extras if isinstance(extra, Doc)), None)
        if doc is None:
            raise TypeError(f"{build.__name__}: annotate {name} with Doc(...)")
        found.append(Parameter(name, parameter.default, annotation, doc))
    return found


# Annotations that several methods share.
POSITIVE = Field(gt=0, allow_inf_nan=False)
NON_NEGATIVE = Field(ge=0, allow_inf_nan=False)
BELOW_HALF = Field(ge=0, lt=0.5, allow_inf_nan=False)

Beta = Annotated[
    float,
    POSITIVE,
    Doc(
        "strength of the pull towards the reference: larger stays closer",
        "beta > 0; at 0 the loss is a constant and nothing is learned, below 0 the preference is reversed",
    ),
]
Scale = Annotated[
    float,
    POSITIVE,
    Doc(
        "scale of the score difference inside the link; there is no reference that it would pull towards",
        "beta > 0; at 0 the loss is a constant and nothing is learned",
    ),
]
