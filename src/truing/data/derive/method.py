"""Relabellings that the literature defines: they are listed, explained and verified as objectives are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from truing.data.derive.base import RELABELLINGS, Relabelling
from truing.data.rows import Row
from truing.registry import Paper, Registry


@dataclass(frozen=True, kw_only=True)
class DataMethod(Relabelling):
    """A published relabelling; calling it with a row gives the rows that the row becomes.

    Attributes:
        slug: its entry in the catalogue of methods.
        paper: where it was published.
        formula: the definition, in one line.
        legend: what the symbols mean, one line each, as ``symbol: meaning``.
        use_when, avoid_when: one or two sentences each.
        cost: what it costs, in words.
    """

    slug: str
    paper: Paper
    formula: str
    legend: tuple[str, ...]
    use_when: str
    avoid_when: str
    cost: str
    kind: str = "data"

    @property
    def requires(self) -> tuple[str, ...]:
        """Kinds of data and columns."""
        return (self.takes, *self.needs)

    def __call__(self, row: Row) -> Iterable[Row]:
        return self.rows(row)


DATA_METHODS: Registry[DataMethod] = Registry("relabelling")


def data_method(method: DataMethod) -> DataMethod:
    """Register a published relabelling, for recipes and for readers."""
    RELABELLINGS.add(method)
    return DATA_METHODS.add(method)
