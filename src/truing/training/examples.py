"""Tokenised records as the trainer sees them: trees, roles, and the mismatched completions of KTO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from truing.objectives.algebra import Batch, DataKind
from truing.policies.packing import Tree

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ExampleData:
    """Tokenised records of one kind.

    Args:
        rows: anything indexable by a list of numbers that returns a mapping of columns (a ``datasets.Dataset``),
            with ``prompt_ids``, ``completion_ids``, ``id`` and the numeric columns that the records have.
        kind: what the records are.
        mismatch: for each record the number of another one, whose completion is put under this record's
            prompt to estimate KTO's baseline; ``None`` where the objective does not ask for it.
    """

    rows: Any
    kind: DataKind
    mismatch: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, indices: Sequence[int]) -> list[Row]:
        """Rows by number, in the order asked for."""
        columns = self.rows[list(indices)]
        names = list(columns)
        return [
            dict(zip(names, values, strict=True))
            for values in zip(*(columns[name] for name in names), strict=True)
        ]

    def trees(self, indices: Sequence[int]) -> list[Tree]:
        """Prompts with their completions."""
        return [Tree(row["prompt_ids"], row["completion_ids"]) for row in self.take(indices)]

    def mismatched_trees(self, indices: Sequence[int]) -> list[Tree]:
        """Each prompt with the first completion of its mismatched record."""
        if self.mismatch is None:
            raise ValueError("these examples were prepared without mismatched completions")
        own = self.take(indices)
        other = self.take([self.mismatch[i] for i in indices])
        return [
            Tree(row["prompt_ids"], [partner["completion_ids"][0]])
            for row, partner in zip(own, other, strict=True)
        ]

    def select(self, indices: Sequence[int]) -> ExampleData:
        """A part of the records. Mismatches are not carried over."""
        return replace(self, rows=self.rows.select(list(indices)), mismatch=None)


def roles(kind: DataKind, rows: Sequence[Row]) -> Batch:
    """Roles of the completions of ``rows``, laid out tree by tree."""
    weight = _column(rows, "weight")
    margin = _column(rows, "margin")
    if kind == "pairs":
        return Batch.pairs(len(rows), weight=weight, margin=margin)
    if kind == "unpaired":
        return Batch.unpaired([bool(row["label"]) for row in rows], weight=weight)
    if kind == "ranked":
        sizes = [len(row["completion_ids"]) for row in rows]
        reward = torch.tensor([float(s) for row in rows for s in _scalar_scores(row["scores"])])
        return Batch.ranked(sizes, reward, weight=weight)
    index = torch.arange(len(rows))
    return Batch(index, len(rows), index, index[:0], paired=False, weight=weight)


def _scalar_scores(scores: Sequence[Any]) -> list[float]:
    """One number per completion; several criteria are averaged."""
    return [float(np.mean(s)) if isinstance(s, Sequence | np.ndarray) else float(s) for s in scores]


def _column(rows: Sequence[Row], name: str) -> Tensor | None:
    if not rows or rows[0].get(name) is None:
        return None
    return torch.tensor([float(row[name]) for row in rows])
