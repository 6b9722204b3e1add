"""From source rows to standard rows, with a tally of what was skipped and remarked on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain, islice
from typing import Any

from truing.data.bad_rows import BadRows
from truing.data.layouts import LAYOUTS, Layout, detect
from truing.data.layouts.base import present_columns
from truing.data.records import ANSWER_COLUMNS, TEXT_COLUMNS, Count, check_row
from truing.data.rows import Remark, Row, RowError, Skip
from truing.data.unreadable import Numbered, Unreadable
from truing.errors import DataError, did_you_mean

SAMPLE = 100
"""Rows by which a layout is detected."""

EMPTY = "an answer that is empty or white space only"


@dataclass(frozen=True)
class Part:
    """Rows with a common origin: a file, or the whole of a data set.

    Args:
        label: what errors call it; ``label:number`` is the place of a row.
        rows: opens it; called once for each pass.
        prefix: put before row numbers to make ids, where there are several parts.
    """

    label: str
    rows: Callable[[], Iterator[Numbered]]
    prefix: str = ""


@dataclass
class Tally:
    """How often each thing was said, with the first ids."""

    skipped: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    remarks: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    ignored: set[str] = field(default_factory=set)

    def skip(self, reason: str, record: str) -> None:
        _count(self.skipped, reason, record)

    def remark(self, text: str, record: str) -> None:
        _count(self.remarks, text, record)


def _count(where: dict[str, tuple[int, list[str]]], what: str, record: str) -> None:
    number, ids = where.get(what, (0, []))
    where[what] = (number + 1, ids if len(ids) >= 5 or record in ids else [*ids, record])


def counts(table: Mapping[str, tuple[int, list[str]]]) -> tuple[Count, ...]:
    """A tally as counts, most frequent first."""
    ordered = sorted(table.items(), key=lambda item: (-item[1][0], item[0]))
    return tuple(Count(what, number, tuple(ids)) for what, (number, ids) in ordered)


class Converter:
    """Turns the parts of one source into standard rows of one kind and form.

    Args:
        columns: renames, standard column to the source's own.
        layout: name of the layout, or ``None`` to detect it.
        bad: where malformed rows go.
        limit: how many rows of the source are read at most.
    """

    def __init__(
        self, columns: Mapping[str, str] | None, layout: str | None, bad: BadRows, limit: int | None = None
    ) -> None:
        self.renames = {source: name for name, source in (columns or {}).items()}
        self.layout: Layout | None = None if layout is None else LAYOUTS.get(layout, where="data.layout")
        self.asked = layout is not None
        self.conversational: bool | None = None
        self.bad = bad
        self.limit = limit
        self.tally = Tally()
        self._seen_in = ""

    def __call__(self, parts: Iterable[Part]) -> Iterator[Row]:
        """Standard rows of all parts.

        Raises:
            DataError: if a layout cannot be told, two parts differ in it, or a malformed row is an error.
        """
        left = self.limit
        for part in parts:
            rows = islice(part.rows(), left)
            sample = list(islice(rows, SAMPLE))
            if not sample:
                return
            layout = self._settle_layout(part, sample)
            read = 0
            for number, item in chain(sample, rows):
                read += 1
                yield from self._row(layout, part, number, item)
            left = None if left is None else left - read

    def _settle_layout(self, part: Part, sample: list[Numbered]) -> Layout:
        raw = [row for _, row in sample if isinstance(row, dict)]
        if not raw:
            for number, item in sample:
                if isinstance(item, Unreadable):
                    self.bad.add(f"{part.label}:{number}", item.error, item.raw)
            raise self.bad.error()
        if self.renames:
            _check_renames(self.renames, raw, part.label)
        readable = [self._renamed(row) for row in raw]
        if self.asked and self.layout is not None:
            _check_asked(self.layout, readable, part.label)
            return self.layout
        found = detect(readable, part.label)
        if self.layout is not None and found is not self.layout:
            raise DataError(
                "the files are of different layouts",
                where=f"{self._seen_in} is {self.layout.name!r}, {part.label} is {found.name!r}",
                fix="load one of them: give its path, or a narrower glob",
            )
        _check_spelling(found, readable, part.label)
        self.layout, self._seen_in = found, part.label
        return found

    def _renamed(self, row: Row) -> Row:
        return row if not self.renames else {self.renames.get(name, name): value for name, value in row.items()}

    def _row(self, layout: Layout, part: Part, number: int, item: Row | Unreadable) -> Iterable[Row]:
        where = f"{part.label}:{number}"
        if isinstance(item, Unreadable):
            self.bad.add(where, item.error, item.raw)
            return ()
        try:
            return self._records(layout, self._renamed(item), f"{part.prefix}{number}")
        except RowError as error:
            self.bad.add(where, error, item)
            return ()

    def _records(self, layout: Layout, row: Row, number: str) -> list[Row]:
        """The standard rows of one source row; all of them, or none."""
        said = list(layout.convert(row))
        records = [item for item in said if isinstance(item, dict)]
        for position, record in enumerate(records, start=1):
            own = record.get("id") or number
            record["id"] = own if len(records) == 1 else f"{own}/{position}"
            self._check_form(check_row(record, layout.kind))
        for item in said:
            if isinstance(item, Skip):
                self.tally.skip(item.reason, number)
            elif isinstance(item, Remark):
                self.tally.remark(item.text, number)
        for record in records:
            if any(is_empty(answer) for answer in answers(record, layout.kind)):
                self.tally.remark(EMPTY, record["id"])
        for name, value in row.items():
            if value is not None and name not in layout.known:
                self.tally.ignored.add(str(name))
        return records

    def _check_form(self, conversational: bool) -> None:
        if self.conversational is None:
            self.conversational = conversational
        elif self.conversational != conversational:
            forms = ("messages", "text") if self.conversational else ("text", "messages")
            raise RowError(f"its texts are {forms[1]}, but those of the rows before are {forms[0]}")


def _check_spelling(layout: Layout, rows: list[Row], where: str) -> None:
    """Refuse a text column that would not be read because of a slip in its name."""
    present = {str(name) for row in rows for name in row}
    missing = [name for name in TEXT_COLUMNS[layout.kind] if name not in present]
    for name in sorted(present - set(layout.known)):
        for close in get_close_matches(name, missing, n=1, cutoff=0.8):
            raise DataError(
                f"column {name!r} would not be read, and there is no {close!r}",
                where=where,
                allowed=", ".join(sorted(layout.known)),
                fix=f"rename it, or say data.columns: {{{close}: {name}}}; if it is meant to be left out, drop it",
            )


def _check_renames(renames: Mapping[str, str], rows: list[Row], where: str) -> None:
    present = {str(name) for row in rows for name in row}
    for source, standard in renames.items():
        if source not in present:
            raise DataError(
                f"there is no column {source!r} to be read as {standard!r}",
                where=f"{where}, data.columns",
                allowed=", ".join(sorted(present)),
                fix=did_you_mean(source, present),
            )
        if standard in present and standard not in renames:
            raise DataError(
                f"{source!r} is to be read as {standard!r}, but there is a column of that name",
                where=f"{where}, data.columns",
                fix=f"rename that one, too: {{{standard}: {source}, other: {standard}}}",
            )


def _check_asked(layout: Layout, rows: list[Row], where: str) -> None:
    """A layout that was asked for needs its columns, though it need not look like it."""
    present = present_columns(rows)
    missing = [name for name in layout.needs if name not in present]
    if missing:
        raise DataError(
            f"the layout {layout.name!r} needs columns that are not there: {', '.join(missing)}",
            where=f"{where}, columns {', '.join(present)}",
            fix="leave data.layout out to have it detected, or rename with data.columns",
        )


def answers(record: Mapping[str, Any], kind: str) -> Iterator[Any]:
    """The answers of a standard row: chosen and rejected, the completion, or the completions."""
    for name in ANSWER_COLUMNS[kind]:
        if name == "completions":
            yield from record[name]
        else:
            yield record[name]


def is_empty(answer: Any) -> bool:
    """Whether nothing is said: text, or every message of an answer, is white space."""
    said = answer if isinstance(answer, str) else "".join(message["content"] for message in answer)
    return not said.strip()
