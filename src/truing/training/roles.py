"""Which completion of a batch plays which role."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from truing.objectives.algebra import Batch, DataKind
from truing.objectives.algebra.critiques import CRITIQUE

Row = Mapping[str, Any]

# Columns that a row always has, or that have a place of their own in a batch.
_PLACED = frozenset(
    {
        "id",
        "prompt_ids",
        "completion_ids",
        "label",
        "scores",
        "weight",
        "margin",
        "rewards",
        "proposals",
        "tokens",
        "versus",
        "ratings",
        "rated",
        CRITIQUE,
    }
)


def roles(kind: DataKind, rows: Sequence[Row]) -> Batch:
    """Roles of the completions of ``rows``, laid out row by row."""
    batch = _KINDS[kind](rows)
    return replace(
        batch, weight=_column(rows, "weight"), margin=_column(rows, "margin"), columns=_further_columns(rows)
    )


def joined(own: Batch, parts: Mapping[str, Batch]) -> Batch:
    """One batch of records and their parts.

    Args:
        own: roles of the records' completions, laid out record by record.
        parts: the same for each part. In the result each record's own completions are followed by those of its
            parts, in the order given.
    """
    sources = [own, *parts.values()]
    counts = torch.stack([torch.bincount(batch.example, minlength=own.examples) for batch in sources])
    example = torch.repeat_interleave(torch.arange(own.examples), counts.sum(0))
    # Where each record's block of each source begins: records one after another, sources within a record.
    starts = counts.T.flatten().cumsum(0) - counts.T.flatten()
    starts = starts.view(own.examples, len(sources)).T
    placed = [
        _placed(batch, example, start, count) for batch, start, count in zip(sources, starts, counts, strict=True)
    ]
    return replace(placed[0], parts=dict(zip(parts, placed[1:], strict=True)))


def _placed(batch: Batch, example: Tensor, start: Tensor, count: Tensor) -> Batch:
    """A batch whose sequences stand among those of others: record ``e``'s begin at ``start[e]``."""
    within = torch.arange(len(batch.example)) - (count.cumsum(0) - count)[batch.example]
    place = start[batch.example] + within

    def spread(values: Tensor) -> Tensor:
        return torch.full((len(example),), float("nan")).index_copy(0, place, values.float())

    return replace(
        batch,
        example=example,
        chosen=place[batch.chosen],
        rejected=place[batch.rejected],
        reward=None if batch.reward is None else spread(batch.reward),
        per_sequence={name: spread(values) for name, values in batch.per_sequence.items()},
        versus=None if batch.versus is None else torch.stack([spread(v) for v in batch.versus.T], 1),
        own=place,
    )


def _pairs(rows: Sequence[Row]) -> Batch:
    batch = Batch.pairs(len(rows))
    if rows and rows[0].get(CRITIQUE) is not None:
        batch = replace(batch, per_sequence={CRITIQUE: _flat(rows, CRITIQUE)})
    return batch


def _unpaired(rows: Sequence[Row]) -> Batch:
    return Batch.unpaired([bool(row["label"]) for row in rows])


def _ranked(rows: Sequence[Row]) -> Batch:
    reward = torch.tensor([float(s) for row in rows for s in _scalar_scores(row["scores"])])
    batch = Batch.ranked([len(row["completion_ids"]) for row in rows], reward)
    return replace(batch, per_sequence=_ratings(rows))


def _ratings(rows: Sequence[Row]) -> dict[str, Tensor]:
    """What the answers were rated with, as ``rating:NAME``; ``nan`` where a rating is missing."""
    found: dict[str, list[float]] = {}
    count = 0
    for row in rows:
        own = row.get("ratings") or []
        for place, name in enumerate(row.get("rated") or ()):
            column = found.setdefault(f"rating:{name}", [])
            column += [math.nan] * (count - len(column))
            column += [math.nan if answer[place] is None else float(answer[place]) for answer in own]
        count += len(row["completion_ids"])
    return {name: torch.tensor(column + [math.nan] * (count - len(column))) for name, column in found.items()}


def _unwanted(rows: Sequence[Row]) -> Batch:
    return Batch.unwanted(len(rows))


def _samples(rows: Sequence[Row]) -> Batch:
    batch = Batch.samples([len(row["completion_ids"]) for row in rows])
    if rows and rows[0].get("rewards") is not None:
        batch = replace(batch, reward=_flat(rows, "rewards"))
    if rows and rows[0].get("versus") is not None:
        batch = replace(batch, versus=_tables(rows))
    if rows and rows[0].get("proposals") is not None:
        batch = replace(batch, per_sequence={"proposal": _flat(rows, "proposals")})
    return batch


def _tables(rows: Sequence[Row]) -> Tensor:
    """Each record's table, one below the other, as wide as the widest; ``nan`` where there is nothing."""
    width = max(len(row["versus"]) for row in rows)
    lines = [line for row in rows for line in row["versus"]]
    return torch.tensor(
        [
            [float("nan") if value is None else float(value) for value in line]
            + [float("nan")] * (width - len(line))
            for line in lines
        ]
    )


def _flat(rows: Sequence[Row], name: str) -> Tensor:
    """A column that has one number for each completion."""
    return torch.tensor([float(value) for row in rows for value in row[name]])


_KINDS: dict[DataKind, Callable[[Sequence[Row]], Batch]] = {
    "pairs": _pairs,
    "unpaired": _unpaired,
    "ranked": _ranked,
    "demonstrations": _samples,
    "unwanted": _unwanted,
    "samples": _samples,
}


def _scalar_scores(scores: Sequence[Any]) -> list[float]:
    """One number per completion; several criteria are averaged."""
    return [float(np.mean(s)) if isinstance(s, Sequence | np.ndarray) else float(s) for s in scores]


def _further_columns(rows: Sequence[Row]) -> dict[str, Tensor]:
    """Numbers that the records bring along, by name."""
    found = {}
    for name in rows[0] if rows else ():
        values = None if name in _PLACED else _column(rows, name)
        if values is not None:
            found[name] = values
    return found


def _column(rows: Sequence[Row], name: str) -> Tensor | None:
    if not rows or rows[0].get(name) is None:
        return None
    return torch.tensor([float(row[name]) for row in rows])
