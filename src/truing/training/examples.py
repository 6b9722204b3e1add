"""Tokenised records as the trainer sees them: trees, roles, parts, and the mismatched completions of KTO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from truing.objectives.algebra import Batch, DataKind
from truing.policies.packing import Tree
from truing.training.fronts import Fronts
from truing.training.roles import Row, joined, roles

__all__ = ["Drawn", "Example", "ExampleData", "Part", "Partner", "Row", "SameRow"]


@dataclass(frozen=True)
class Example:
    """One record with its parts.

    Attributes:
        own: the record.
        parts: the row of each part, in the order of their names.
        fronted: the record's own trees, where something stands in front of its prompt.
    """

    own: Row
    parts: Mapping[str, Row] = field(default_factory=dict)
    fronted: Sequence[Tree] = ()

    @property
    def trees(self) -> list[Tree]:
        """The record's tree or trees, then those of its parts."""
        return [*(self.fronted or [_tree(self.own)]), *(_tree(row) for row in self.parts.values())]


class Partner(Protocol):
    """Which row of a part belongs to a record."""

    def __call__(self, index: int, records: int) -> int:
        """The row's number.

        Args:
            index: number of the record, plus ``records`` for every pass over the data before this one.
            records: how many records there are.
        """
        ...


@dataclass(frozen=True)
class SameRow:
    """Row by row: the part was made from the records."""

    def __call__(self, index: int, records: int) -> int:
        return index % records


@dataclass(frozen=True)
class Drawn:
    """A data set of its own, gone through again and again in ever new orders, whichever is the longer.

    Args:
        count: rows of the part.
        seed: of the orders.
    """

    count: int
    seed: int

    def __call__(self, index: int, records: int) -> int:
        turn, place = divmod(index, self.count)
        return int(_order(self.seed, turn, self.count)[place])


@lru_cache(maxsize=8)
def _order(seed: int, turn: int, count: int) -> np.ndarray:
    """The order of a part's rows in one turn; asked for once a record, so that it is kept."""
    return np.random.default_rng((seed, 5, turn)).permutation(count)


@dataclass(frozen=True)
class Part:
    """Further sequences beside every record.

    Attributes:
        data: the part's own rows.
        partner: which of them belongs to a record.
    """

    data: ExampleData
    partner: Partner


@dataclass(frozen=True)
class ExampleData:
    """Tokenised records of one kind.

    A record's number may exceed the number of records: what is beyond tells the pass over the data, for parts that
    are drawn anew in every pass.

    Args:
        rows: anything indexable by a list of numbers that returns a mapping of columns (a ``datasets.Dataset``),
            with ``prompt_ids``, ``completion_ids``, ``id`` and the numeric columns that the records have.
        kind: what the records are.
        mismatch: for each record the number of another one, whose completion is put under this record's
            prompt to estimate KTO's baseline; ``None`` where the objective does not ask for it.
        parts: further sequences beside every record, by name.
        columns: numbers that were worked out for the records beforehand, one each, by name.
        fronts: what stands in front of the records' prompts in training, see :meth:`examples`.
    """

    rows: Any
    kind: DataKind
    mismatch: Sequence[int] | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    fronts: Fronts | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, indices: Sequence[int]) -> list[Row]:
        """Rows by number, in the order asked for."""
        numbers = [index % len(self) for index in indices]
        found = dict(self.rows[numbers])
        found.update({name: values[numbers].tolist() for name, values in self.columns.items()})
        names = list(found)
        return [
            dict(zip(names, values, strict=True)) for values in zip(*(found[name] for name in names), strict=True)
        ]

    def examples(self, indices: Sequence[int]) -> list[Example]:
        """Records with their parts, as they are trained on."""
        own = self.take(indices)
        fronted = [() if self.fronts is None else self.fronts.trees(self.kind, row) for row in own]
        parts = {
            name: part.data.take([part.partner(i, len(self)) for i in indices])
            for name, part in sorted(self.parts.items())
        }
        return [
            Example(row, {name: rows[place] for name, rows in parts.items()}, fronted[place])
            for place, row in enumerate(own)
        ]

    def batch(self, examples: Sequence[Example]) -> Batch:
        """Roles of all completions of ``examples``, laid out record by record."""
        own = roles(self.kind, [example.own for example in examples])
        if not self.parts:
            return own
        parts = {
            name: roles(part.data.kind, [example.parts[name] for example in examples])
            for name, part in sorted(self.parts.items())
        }
        return joined(own, parts)

    def trees(self, indices: Sequence[int]) -> list[Tree]:
        """Prompts with their completions, without the parts, and with nothing in front."""
        return [_tree(row) for row in self.take(indices)]

    def mismatched_trees(self, indices: Sequence[int]) -> list[Tree]:
        """Each prompt with the first completion of its mismatched record."""
        if self.mismatch is None:
            raise ValueError("these examples were prepared without mismatched completions")
        own = self.take(indices)
        other = self.take([self.mismatch[i % len(self)] for i in indices])
        return [
            Tree(row["prompt_ids"], [partner["completion_ids"][0]])
            for row, partner in zip(own, other, strict=True)
        ]

    def select(self, indices: Sequence[int]) -> ExampleData:
        """A part of the records. Mismatches are not carried over."""
        columns = {name: values[list(indices)] for name, values in self.columns.items()}
        return replace(self, rows=self.rows.select(list(indices)), mismatch=None, columns=columns)


def _tree(row: Row) -> Tree:
    return Tree(row["prompt_ids"], row["completion_ids"])
