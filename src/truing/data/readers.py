"""Rows out of files: JSON, JSONL, CSV, TSV and Parquet, each also gzipped.

Every reader yields ``(number, row)``, the number counting lines (JSONL) or rows (else) from 1. What concerns one
row only is yielded as :class:`Unreadable`, so that the caller decides; what makes the rest of a file unreadable
is a :class:`DataError`.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from truing.data.csv_reader import read_csv
from truing.data.rows import MAX_ROW_CHARACTERS, Row, RowError, kind_of
from truing.data.unreadable import Numbered, Unreadable, not_an_object, not_utf8
from truing.errors import DataError

LONGEST_LINE = 4 * MAX_ROW_CHARACTERS
"""Bytes; UTF-8 takes at most four for a character."""


def read_file(path: Path) -> Iterator[Numbered]:
    """Rows of one file, by its suffix.

    Raises:
        DataError: if the suffix is unknown, or the file cannot be opened, decompressed, decoded or parsed.
    """
    reader = READERS.get(suffix(path))
    if reader is None:
        raise unknown_suffix(path)
    with _explained(path), _open(path) as stream:
        empty = True
        for item in reader(stream, path):
            empty = False
            yield item
        if empty:
            raise DataError("the file has no rows", where=str(path), fix="check how it was written")


def read_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Rows of one file all of which are needed.

    Raises:
        DataError: as :func:`read_file`, and naming the first row that cannot be read.
    """
    for number, row in read_file(path):
        if isinstance(row, Unreadable):
            raise DataError(row.error.reason, where=f"{path}:{number}", fix=row.error.fix)
        yield number, row


def suffix(path: Path) -> str:
    """The suffix that says what a file holds, ``.gz`` left out, in lower case."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def unknown_suffix(path: Path) -> DataError:
    """The error for a file that no reader is meant for."""
    pickled = suffix(path) in (".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib")
    return DataError(
        f"files that end in {suffix(path) or 'nothing'!r} are not read"
        + ("; a pickle can run code when it is opened" if pickled else ""),
        where=str(path),
        allowed=", ".join(READERS) + ", each also with .gz",
        fix="write the rows as JSONL: one JSON object per line",
    )


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    if path.name.lower().endswith(".gz"):
        with gzip.open(path) as stream:
            yield stream  # type: ignore[misc]
    else:
        with path.open("rb") as stream:
            yield stream


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the operating system and gzip raise into errors that name the file."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"the gzip file is damaged or cut short: {error}",
            where=str(path),
            fix=f"`gzip -t {path.name}` shows the damage; copy or download the file again",
        ) from None
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror or error}",
            where=str(path),
            fix="check its path and permissions",
        ) from None


def _jsonl(stream: IO[bytes], _: Path) -> Iterator[Numbered]:
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            while rest := stream.readline(LONGEST_LINE):
                if rest.endswith(b"\n"):
                    break
            raw = line[:200].decode("utf-8", "replace")
            yield number, Unreadable(RowError(f"the line is longer than {LONGEST_LINE:,} bytes", "split it"), raw)
        elif line.strip():
            yield number, _parse_line(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)


def _parse_line(line: bytes) -> Row | Unreadable:
    raw = ""
    try:
        raw = line.decode()
        return _object(json.loads(raw), raw)
    except UnicodeDecodeError as error:
        reason = f"the line is not UTF-8 (byte {error.start + 1} is 0x{line[error.start]:02x})"
        fix = "convert the file, e.g. `iconv -f latin1 -t utf-8`"
        return Unreadable(RowError(reason, fix), line.decode("utf-8", "replace").rstrip("\n"))
    except json.JSONDecodeError as error:
        reason = f"the line is not JSON: {error.msg} at column {error.colno}"
        return Unreadable(RowError(reason, _json_fix(raw)), raw.rstrip("\n"))
    except RecursionError:
        return Unreadable(RowError("the line is nested too deeply"), raw[:200])
    except ValueError as error:  # an integer of thousands of digits
        return Unreadable(RowError(f"the line holds a number that cannot be read: {error}"), raw[:200])


def _json_fix(raw: str) -> str:
    if raw.lstrip().startswith("[") or raw.rstrip().endswith(","):
        return "this looks like a JSON list: name the file .json"
    return "one JSON object per line; a text with line breaks has to be written with \\n"


def _object(value: Any, raw: str) -> Row | Unreadable:
    if isinstance(value, dict):
        return value
    return Unreadable(not_an_object(value), raw)


def _json(stream: IO[bytes], path: Path) -> Iterator[Numbered]:
    """A list of objects. One object per line is read too, since many such files are called .json."""
    data = stream.read().removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise not_utf8(path, data, error.start) from None
    try:
        rows = json.loads(text) if text.strip() else []
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text.lstrip().startswith("{"):
            yield from _lines(data)
            return
        raise DataError(
            f"the file is not JSON: {error.msg}",
            where=f"{path}:{error.lineno}, column {error.colno}",
            fix="a JSON file holds one list of objects; a file that was cut short ends without ']'",
        ) from None
    except (RecursionError, ValueError) as error:
        raise DataError(f"the file is not JSON that can be read: {error}", where=str(path)) from None
    if isinstance(rows, Mapping):
        rows = _rows_of_mapping(rows, path)
    if not isinstance(rows, list):
        raise DataError(f"the file holds {kind_of(rows)}, not a list of rows", where=str(path))
    for number, value in enumerate(rows, start=1):
        yield number, _object(value, json.dumps(value, ensure_ascii=False, default=str))


def _lines(data: bytes) -> Iterator[Numbered]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield number, _parse_line(line)


def _rows_of_mapping(value: Mapping[str, Any], path: Path) -> Any:
    """The rows of a file that holds one object: itself a row, or a wrapper around one list."""
    if len(value) == 1:
        (inner,) = value.values()
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            return inner
    if value and all(isinstance(inner, Mapping) for inner in value.values()):
        raise DataError(
            "the file holds one object of objects, not a list of rows",
            where=f"{path}, keys {', '.join(list(value)[:5])}",
            fix='write a list: [{"prompt": ..., "chosen": ..., "rejected": ...}, ...]',
        )
    return [value]


def _delimited(delimiter: str) -> Callable[[IO[bytes], Path], Iterator[Numbered]]:
    def read(stream: IO[bytes], path: Path) -> Iterator[Numbered]:
        yield from read_csv(stream, path, delimiter)

    return read


def _parquet(stream: IO[bytes], path: Path) -> Iterator[Numbered]:
    import io

    import pyarrow as pa
    import pyarrow.parquet

    source: Any = io.BytesIO(stream.read()) if path.name.lower().endswith(".gz") else stream
    number = 0
    try:
        for batch in pa.parquet.ParquetFile(source).iter_batches(batch_size=1000):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"the Parquet file is damaged, or is none: {str(error).splitlines()[0]}",
            where=f"{path}, after row {number}",
            fix="write or download it again",
        ) from None


READERS: Mapping[str, Callable[[IO[bytes], Path], Iterator[Numbered]]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".json": _json,
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".parquet": _parquet,
}
