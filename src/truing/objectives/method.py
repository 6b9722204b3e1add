"""Registered objectives: the decorator and the lookup.

A method is a function from hyper-parameters to an :class:`~truing.objectives.algebra.Objective`. The
decorator adds what users need to choose it (paper, when to use it and when not); its hyper-parameters and
their bounds come from the function's annotations, see :mod:`truing.objectives.parameters`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec

from truing.errors import ObjectiveError
from truing.objectives.algebra import Objective
from truing.parameters import Parameter, bound_values, checked, parameters_of
from truing.registry import Paper, Registry

P = ParamSpec("P")


@dataclass(frozen=True)
class Method(Generic[P]):
    """A registered objective; calling it builds one."""

    name: str
    slug: str
    paper: Paper
    summary: str
    use_when: str
    avoid_when: str
    build: Callable[..., Objective]
    parameters: tuple[Parameter, ...]
    aliases: tuple[str, ...] = ()
    kind: str = "objective"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Objective:
        return self.configure(bound_values(f"objective {self.name!r}", self.parameters, args, kwargs))

    def configure(self, values: Mapping[str, Any], where: str | None = None) -> Objective:
        """Build the objective from a mapping of hyper-parameters.

        Args:
            values: hyper-parameters by name; what is left out keeps its default.
            where: key path in a recipe, for error messages.

        Raises:
            ObjectiveError: on an unknown name, a value out of bounds, or values that do not go together.
        """
        return self.build(**checked(f"objective {self.name!r}", self.parameters, values, where)).named(self.name)

    @property
    def requires(self) -> list[str]:
        """Data layouts and signals, in words that ``truing methods`` filters by."""
        objective = self.configure({})
        return [*sorted(objective.data), *sorted(objective.requires)]


METHODS: Registry[Method[Any]] = Registry("objective", ObjectiveError)


def objective(
    *,
    name: str,
    slug: str,
    paper: Paper,
    summary: str,
    use_when: str,
    avoid_when: str,
    aliases: tuple[str, ...] = (),
    kind: str = "objective",
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
        kind: what it is for: ``"objective"``, or ``"unlearning"``.
    """

    def register(build: Callable[P, Objective]) -> Method[P]:
        method = Method[P](
            name=name,
            slug=slug,
            paper=paper,
            summary=summary,
            use_when=use_when,
            avoid_when=avoid_when,
            build=build,
            parameters=parameters_of(build),
            aliases=aliases,
            kind=kind,
        )
        object.__setattr__(method, "__doc__", build.__doc__)
        METHODS.add(method)
        return method

    return register
