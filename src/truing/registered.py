"""Functions of the literature, registered with what users need to choose and to read them.

An audit measures a model or its data; a reward transform, a combiner of rewards or a rule that picks samples changes
numbers. Each is a pure function; the decorator adds its card, and the command line and the documentation show it beside
the objectives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar

from truing.parameters import Parameter, checked, parameters_of
from truing.registry import Paper, Registry

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class RegisteredFunction(Generic[P, R]):
    """A registered function; calling it computes.

    Attributes:
        name: what ``truing explain`` and ``truing verify`` call it.
        slug: its entry in the catalogue of methods.
        paper: where it was published.
        summary: one sentence on what it tells or does.
        formula: the definition, in one line.
        legend: what the symbols mean, one line each, as ``symbol: meaning``.
        use_when, avoid_when: one or two sentences each.
        requires: what it needs: kinds of data, ``reference``, ``hidden states``, ``held-out``.
        cost: what it costs, in words.
        compute: the function.
        kind: what it is, e.g. ``"audit"``.
        parameters: hyper-parameters, where recipes may set them; the function then builds what computes.
        reaches: what it does beside computing, even with its defaults, e.g. ``runs programs``; strangers may then not
            choose it, e.g. in a request to a server.
    """

    name: str
    slug: str
    paper: Paper
    summary: str
    formula: str
    legend: tuple[str, ...]
    use_when: str
    avoid_when: str
    requires: tuple[str, ...]
    cost: str
    compute: Callable[P, R]
    kind: str
    aliases: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    reaches: str = ""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.compute(*args, **kwargs)

    def configure(self, values: Mapping[str, Any], where: str | None = None) -> R:
        """Call it with hyper-parameters by name, as a recipe gives them.

        Args:
            values: hyper-parameters; what is left out keeps its default.
            where: key path in a recipe, for error messages.

        Raises:
            ObjectiveError: on an unknown name or a value out of bounds.
        """
        build: Callable[..., R] = self.compute
        return build(**checked(f"{self.kind} {self.name!r}", self.parameters, values, where))


@dataclass(frozen=True)
class Registrar:
    """A decorator with arguments that registers functions of one kind."""

    registry: Registry[RegisteredFunction[Any, Any]]
    kind: str
    configurable: bool = False
    """Whether the functions build something from hyper-parameters that recipes may set."""

    def __call__(
        self,
        *,
        name: str,
        slug: str,
        paper: Paper,
        summary: str,
        formula: str,
        legend: tuple[str, ...],
        use_when: str,
        avoid_when: str,
        requires: tuple[str, ...],
        cost: str,
        aliases: tuple[str, ...] = (),
        reaches: str = "",
    ) -> Callable[[Callable[P, R]], RegisteredFunction[P, R]]:
        """Register a function; see :class:`RegisteredFunction` for the arguments."""

        def register(compute: Callable[P, R]) -> RegisteredFunction[P, R]:
            made = RegisteredFunction[P, R](
                name=name,
                slug=slug,
                paper=paper,
                summary=summary,
                formula=formula,
                legend=legend,
                use_when=use_when,
                avoid_when=avoid_when,
                requires=requires,
                cost=cost,
                compute=compute,
                kind=self.kind,
                aliases=aliases,
                parameters=parameters_of(compute) if self.configurable else (),
                reaches=reaches,
            )
            object.__setattr__(made, "__doc__", compute.__doc__)
            self.registry.add(made)
            return made

        return register
