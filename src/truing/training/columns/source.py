"""Which source a record comes from, as a number: the place of its name among those of the training records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from truing.errors import DataError

if TYPE_CHECKING:
    from truing.training.prepare import Prepared, Split

UNKNOWN = -1


def source(prepared: Prepared, column: str) -> tuple[np.ndarray, np.ndarray | None]:
    """One number a record; −1 for held-out records of sources that training records do not have.

    Args:
        prepared: the run.
        column: of the data, text.

    Raises:
        DataError: if there is no such column, or a training record has nothing there.
    """
    names = _names(prepared.train, column)
    for name, record in zip(names, prepared.train.encoded.dataset["id"], strict=True):
        if not name:
            raise DataError(
                f"the row does not say which {column} it belongs to",
                where=f"{prepared.train.records.source}, row {record}",
                fix=f"fill the column {column!r} in every row",
            )
    known = {name: number for number, name in enumerate(source_names(names))}
    held = prepared.held_out
    return (
        np.array([known[name] for name in names]),
        None if held is None else np.array([known.get(name, UNKNOWN) for name in _names(held, column)]),
    )


def source_names(names: list[str]) -> tuple[str, ...]:
    """What the numbers stand for."""
    return tuple(sorted(set(names)))


def names_of(split: Split, column: str) -> tuple[str, ...]:
    """The sources of a split's records, in the order of their numbers."""
    return source_names(_names(split, column))


def _names(split: Split, column: str) -> list[str]:
    """The source of every tokenised record; empty text where that is not said."""
    records = split.records
    if column not in records.columns:
        raise DataError(
            f"no row has a column {column!r} that names its source",
            where=records.source,
            allowed=", ".join(records.columns),
            fix=f"rename one, e.g. data.columns: {{{column}: YOUR_COLUMN}}, or name another with objective.by",
        )
    values = records.dataset[column]
    if any(value is not None and not isinstance(value, str) for value in values):
        raise DataError(f"the column {column!r} holds no text", where=records.source, fix="name a column of text")
    by_id = dict(zip(map(str, records.dataset["id"]), values, strict=True))
    return [by_id[str(name)] or "" for name in split.encoded.dataset["id"]]
