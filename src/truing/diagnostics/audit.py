"""Registered audits: measurements of models and data that the literature defines, one function each.

An audit is a pure function of numbers (log-probabilities, sums of hidden states, series of metrics). The decorator
adds what users need to choose it and to read it; the command line and the documentation show it beside the objectives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar

from truing.registry import Paper, Registry

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Audit(Generic[P, R]):
    """A registered measurement; calling it measures.

    Attributes:
        name: what ``truing explain`` and ``truing verify`` call it.
        slug: its entry in the catalogue of methods.
        paper: where it was published.
        summary: one sentence on what it tells.
        formula: the definition, in one line.
        legend: what the symbols mean, one line each, as ``symbol: meaning``.
        use_when, avoid_when: one or two sentences each.
        requires: what it needs: kinds of data, ``reference``, ``hidden states``, ``held-out``.
        cost: what it costs, in words.
        compute: the function.
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
    aliases: tuple[str, ...] = ()
    kind: str = "audit"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.compute(*args, **kwargs)


AUDITS: Registry[Audit[Any, Any]] = Registry("audit")


def audit(
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
) -> Callable[[Callable[P, R]], Audit[P, R]]:
    """Register a function as an audit; see :class:`Audit` for the arguments."""

    def register(compute: Callable[P, R]) -> Audit[P, R]:
        made = Audit[P, R](
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
            aliases=aliases,
        )
        object.__setattr__(made, "__doc__", compute.__doc__)
        AUDITS.add(made)
        return made

    return register
