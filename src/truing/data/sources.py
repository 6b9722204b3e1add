"""Loading: any source to records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

import xxhash

from truing.data.bad_rows import BadRows, OnBadRow
from truing.data.conversion import Converter, Part, counts
from truing.data.files import find_files, looks_like_file, no_such_file, split_names
from truing.data.hub import could_be_hub_name, hub_splits, load_hub, one_split
from truing.data.readers import read_file
from truing.data.records import Records
from truing.data.rows import kind_of, shorten
from truing.data.table import TableWriter
from truing.data.unreadable import Numbered, Unreadable, not_an_object
from truing.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

    Source: TypeAlias = str | Path | Dataset | IterableDataset | Sequence[Mapping[str, Any]]


def load(
    source: Source,
    *,
    split: str | None = None,
    layout: str | None = None,
    columns: Mapping[str, str] | None = None,
    on_bad_row: OnBadRow = "error",
    quarantine_path: str | Path | None = None,
    limit: int | None = None,
    streaming: bool = False,
    name: str | None = None,
) -> Records:
    """Read preference data, whatever its layout.

    Args:
        source: a JSON, JSONL, CSV, TSV or Parquet file (each also gzipped), a folder or glob of them, the name of
            a data set of the hub, a ``datasets.Dataset``, or a list of dictionaries.
        split: of a hub data set, or of the files of a folder.
        layout: name of the layout; detected where it is left out.
        columns: renames, standard column to the source's own, e.g. ``{"prompt": "question"}``.
        on_bad_row: ``"error"`` stops at malformed rows, ``"quarantine"`` writes them to a file with reasons.
        quarantine_path: that file; by default ``NAME.quarantine.jsonl`` in the working folder.
        limit: read only so many rows of the source.
        streaming: read rows as they are needed; nothing is known about those to come.
        name: configuration of a hub data set.

    Raises:
        DataError: if the source cannot be read, its layout not be told, or rows are malformed.
    """
    _check_arguments(on_bad_row, limit, columns)
    opened = open_source(source, split, name, streaming=streaming)
    path = None
    if on_bad_row == "quarantine":
        path = Path(quarantine_path) if quarantine_path else Path(f"{opened.stem}.quarantine.jsonl")
    converter = Converter(columns, layout, BadRows(on_bad_row, path), limit)
    if streaming:
        from truing.data.streaming import stream

        return stream(opened, converter)
    return collect(opened, converter)


@dataclass(frozen=True)
class Opened:
    """A source whose rows can be read.

    Args:
        parts: its files, or the whole of it.
        name: what messages call it.
        stem: a short name for files made from it.
        key: a string that changes with its content; ``None`` where the rows are in memory anyway.
    """

    parts: tuple[Part, ...]
    name: str
    stem: str
    key: str | None


def collect(opened: Opened, converter: Converter) -> Records:
    """Read a source to its end.

    Raises:
        DataError: as :func:`load`.
    """
    rows = converter(opened.parts)
    first = next(rows, None)
    layout = converter.layout
    if first is None or layout is None or converter.conversational is None:
        converter.bad.settle()
        raise _nothing_left(opened, converter)
    with TableWriter(layout.kind, converter.conversational, _cache_key(opened, converter)) as writer:
        writer.add(first)
        for row in rows:
            writer.add(row)
        converter.bad.settle()
        dataset = writer.finish()
    return Records(
        dataset=dataset,
        kind=layout.kind,
        conversational=converter.conversational,
        layout=layout.name,
        source=opened.name,
        quarantined=len(converter.bad),
        notes=notes(converter),
        skipped=counts(converter.tally.skipped),
    )


def _cache_key(opened: Opened, converter: Converter) -> str | None:
    """A name for the table that this source and these settings give."""
    if opened.key is None or converter.layout is None:
        return None
    settings = repr((opened.key, converter.layout.name, sorted(converter.renames.items()), converter.limit))
    return xxhash.xxh3_128_hexdigest(settings.encode("utf-8", "surrogatepass"))


def notes(converter: Converter) -> tuple[str, ...]:
    """What was done to the rows, in words."""
    said = [converter.layout.note] if converter.layout is not None and converter.layout.note else []
    said += [str(count) + ", left out" for count in counts(converter.tally.skipped)]
    said += [str(count) for count in counts(converter.tally.remarks)]
    if len(converter.bad):
        where = f" to {converter.bad.path}" if converter.bad.path else ""
        said.append(f"{len(converter.bad):,} malformed rows set aside{where}")
    if converter.tally.ignored:
        said.append(f"columns that were not read: {', '.join(sorted(converter.tally.ignored))}")
    if converter.limit is not None:
        said.append(f"only the first {converter.limit:,} rows of the source were read")
    return tuple(said)


def _nothing_left(opened: Opened, converter: Converter) -> DataError:
    reasons = "; ".join(str(count) for count in counts(converter.tally.skipped))
    bad = f"{len(converter.bad)} malformed rows" if len(converter.bad) else ""
    return DataError(
        "no row is left" if reasons or bad else "there are no rows",
        where=opened.name,
        fix="look at why: " + "; ".join(part for part in (reasons, bad) if part)
        if reasons or bad
        else "check how the data was written",
    )


def _check_arguments(on_bad_row: str, limit: int | None, columns: Mapping[str, str] | None) -> None:
    if on_bad_row not in get_args(OnBadRow):
        raise DataError(
            f"on_bad_row is {shorten(on_bad_row)}",
            where="data.on_bad_row",
            allowed=", ".join(get_args(OnBadRow)),
            fix=did_you_mean(str(on_bad_row), get_args(OnBadRow)),
        )
    if limit is not None and limit < 1:
        raise DataError(f"limit is {limit}, so that no row is read", where="data.limit", allowed="1 or more")
    if columns and len(set(columns.values())) < len(columns):
        raise DataError("two columns are to be read from the same one", where="data.columns")


def splits_of(source: str, name: str | None) -> list[str]:
    """Names of the splits of a folder or glob of files, or of a hub data set, the training split first.

    Empty where there are none to choose from; errors are left to whoever reads the data.
    """
    found = split_names(source)
    if found is None and could_be_hub_name(source) and not looks_like_file(source):
        found = hub_splits(source, name)
    return sorted(found or [], key=lambda split: (split != "train", split))


def open_source(source: Source, split: str | None, name: str | None, *, streaming: bool) -> Opened:
    """Find out what a source is; nothing is read yet, except from the hub.

    Raises:
        DataError: if there is nothing to read.
    """
    if isinstance(source, str | Path):
        files = find_files(str(source), split)
        if files is not None:
            if name is not None:
                raise DataError("data.name is for data sets of the hub", where=str(source), fix="leave it out")
            return _open_files(str(source), files)
        if isinstance(source, Path) or not could_be_hub_name(source) or looks_like_file(source):
            raise no_such_file(str(source))
        return _open_rows(load_hub(source, name, split, streaming), source)
    if split is not None and not isinstance(source, dict):
        raise DataError("data that is in memory has no splits", where="split", fix="leave it out")
    if isinstance(source, dict):
        if split is not None and split in source:
            return _open_rows(source[split], split)
        return _open_rows(one_split(source, "data"), "data")
    return _open_rows(source, "data")


def _open_files(source: str, files: list[Path]) -> Opened:
    given = Path(source).expanduser()
    folder = given if given.is_dir() else None
    several = len(files) > 1
    prefixes = [f"{path.relative_to(folder) if folder else path.name}:" if several else "" for path in files]
    parts = tuple(Part(str(path), _Read(path), prefix) for path, prefix in zip(files, prefixes, strict=True))
    stats = [(path.resolve(), path.stat()) for path in files]
    key = repr([(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats])
    stem = files[0].name.split(".")[0] if not several else Path(source).name or "data"
    return Opened(parts, source, stem, key)


@dataclass(frozen=True)
class _Read:
    """Opens one file; a class, so that worker processes can be given it."""

    path: Path

    def __call__(self) -> Iterator[Numbered]:
        return read_file(self.path)


def _open_rows(rows: Any, label: str) -> Opened:
    if isinstance(rows, dict):
        rows = one_split(rows, label)
    if hasattr(rows, "to_dict") and not hasattr(rows, "with_format"):  # a pandas data frame
        rows = rows.to_dict("records")
    if isinstance(rows, str | bytes | Mapping) or not hasattr(rows, "__iter__"):
        raise DataError(
            f"the data is {kind_of(rows)}",
            where=label,
            allowed="a path, the name of a hub data set, a datasets.Dataset, or a list of dictionaries",
        )
    key = getattr(rows, "_fingerprint", None)
    return Opened((Part(label, _Rows(rows)),), label, label.replace("/", "-"), key)


@dataclass(frozen=True)
class _Rows:
    """Numbers rows that are in memory, or that ``datasets`` reads."""

    rows: Any

    def __call__(self) -> Iterator[Numbered]:
        plain = self.rows.with_format(None) if hasattr(self.rows, "with_format") else self.rows
        for number, row in enumerate(plain, start=1):
            if isinstance(row, Mapping):
                yield number, row if isinstance(row, dict) else dict(row)
            else:
                yield number, Unreadable(not_an_object(row), repr(row)[:1000])
