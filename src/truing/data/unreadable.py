"""Rows that a reader cannot read, and the errors that readers share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from truing.data.rows import Row, RowError, kind_of
from truing.errors import DataError


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that could not be read: why, and what there is of it."""

    error: RowError
    raw: str


Numbered = tuple[int, Row | Unreadable]


def not_an_object(value: object) -> RowError:
    """The error for a row that is a list, a number or a text."""
    return RowError(f"the row is {kind_of(value)}, not an object", 'write rows as {"column": value}')


def not_utf8(path: Path, data: bytes, position: int) -> DataError:
    """The error for a file whose byte at ``position`` is not UTF-8."""
    line = data.count(b"\n", 0, position) + 1
    return DataError(
        f"the file is not UTF-8 (byte 0x{data[position]:02x})",
        where=f"{path}:{line}",
        fix="convert it, e.g. `iconv -f latin1 -t utf-8`",
    )
