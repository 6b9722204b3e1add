"""Rows out of CSV and TSV files.

Cells are text. A column whose cells are all JSON lists or objects is parsed, because that is how message lists
get into a CSV file; numbers and booleans are read where a layout asks for them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from truing.data.rows import Row, RowError
from truing.data.unreadable import Numbered, Unreadable, not_utf8
from truing.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

MOST_COLUMNS = 1000


def read_csv(stream: IO[bytes], path: Path, delimiter: str) -> Iterator[Numbered]:
    """Rows of a delimited file with a header.

    Raises:
        DataError: if it is not UTF-8, has no header, names a column twice, or has a quote that is never closed.
    """
    data = stream.read()
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise not_utf8(path, data, error.start) from None
    table, broken = _table(data, path, delimiter)
    first = table.slice(0, 100).to_pylist()
    nested = [name for name in table.column_names if _is_nested(name, first)]
    number = 0
    for batch in table.to_batches(max_chunksize=1000):
        for row in batch.to_pylist():
            number += 1
            while number in broken:
                yield number, broken.pop(number)
                number += 1
            yield number, _parse(row, nested)
    yield from broken.items()


def _table(data: bytes, path: Path, delimiter: str) -> tuple[pa.Table, dict[int, Unreadable]]:
    """The good rows as a table of text, and the rows with a wrong number of cells by row number."""
    import pyarrow as pa
    from pyarrow import csv

    broken: dict[int, Unreadable] = {}

    def invalid(row: csv.InvalidRow) -> str:
        reason = f"the row has {row.actual_columns} cells, but the header has {row.expected_columns} columns"
        fix = "a text that holds the delimiter or a line break has to stand in double quotes"
        broken[row.number - 1] = Unreadable(RowError(reason, fix), row.text)  # the header is number 1
        return "skip"

    try:
        table = csv.read_csv(
            io.BytesIO(data.removeprefix(b"\xef\xbb\xbf")),
            # Row numbers are only known without threads; a row has to fit into one block. The header is read
            # as a row, so that every cell is text whatever the columns are called.
            read_options=csv.ReadOptions(
                use_threads=False, block_size=max(len(data), 1), autogenerate_column_names=True
            ),
            parse_options=csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=invalid
            ),
            convert_options=csv.ConvertOptions(
                column_types={f"f{i}": pa.string() for i in range(MOST_COLUMNS)}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(
            f"the file cannot be read as a table: {str(error).splitlines()[0]}",
            where=str(path),
            fix="look for a double quote that is never closed",
        ) from None
    return table.slice(1).rename_columns(_header(table, path)), broken


def _header(table: pa.Table, path: Path) -> list[str]:
    """The names in the first row."""
    names = [str(column[0].as_py()) for column in table.columns]
    if len(names) > MOST_COLUMNS:
        raise DataError(f"the header has {len(names)} columns; at most {MOST_COLUMNS} are read", where=str(path))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"the header names {', '.join(map(repr, twice))} twice", where=f"{path}:1")
    return names


def _is_nested(name: str, rows: list[dict[str, Any]]) -> bool:
    cells = [row[name] for row in rows if row[name]]
    return bool(cells) and all(cell.lstrip().startswith(("[", "{")) and _loads(cell) is not None for cell in cells)


def _loads(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None


def _parse(row: dict[str, Any], nested: list[str]) -> Row | Unreadable:
    for name in nested:
        if row[name]:
            value = _loads(row[name])
            if value is None:
                reason = f"`{name}` is not JSON, but it is in the rows above"
                return Unreadable(RowError(reason), json.dumps(row, ensure_ascii=False))
            row[name] = value
    return row
