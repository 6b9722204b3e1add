"""Records that are read as they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from truing.data.bad_rows import BadRows, line
from truing.data.conversion import Converter
from truing.data.records import Records
from truing.data.rows import Row
from truing.data.sources import Opened
from truing.data.table import TableWriter, schema
from truing.errors import DataError

if TYPE_CHECKING:
    from datasets import IterableDataset


def stream(opened: Opened, converter: Converter) -> Records:
    """Records over a source that is not read to its end now.

    Layout and form are told from the first rows; malformed rows raise when they are reached, or are written to the
    quarantine file then.

    Raises:
        DataError: if the first rows cannot be used.
    """
    from datasets import Features, IterableDataset

    first = next(converter(opened.parts), None)
    layout = converter.layout
    if first is None or layout is None or converter.conversational is None:
        converter.bad.settle()
        raise DataError("there are no rows that can be used", where=opened.name)
    settings = {
        "opened": opened,
        "columns": {standard: source for source, standard in converter.renames.items()},
        "layout": layout.name,
        "policy": converter.bad.policy,
        "path": converter.bad.path,
        "limit": converter.limit,
    }
    features = Features.from_arrow_schema(schema(layout.kind, converter.conversational))
    return Records(
        dataset=IterableDataset.from_generator(_rows, features=features, gen_kwargs={"settings": settings}),
        kind=layout.kind,
        conversational=converter.conversational,
        layout=layout.name,
        source=opened.name,
        quarantined=None,
        notes=("streamed: what is skipped or malformed is known only as rows are read",),
    )


def taken(records: Records, count: int) -> Records:
    """The first rows of a stream, read now and kept: no more is asked of the source than these.

    Raises:
        DataError: if one of them is malformed.
    """
    with TableWriter(records.kind, records.conversational, None) as writer:
        for row in cast("IterableDataset", records.dataset).take(count):
            writer.add(row)
        dataset = writer.finish()
    found = f"the first {len(dataset):,} rows of the stream"
    short = "" if len(dataset) == count else f", which has no more; {count:,} were wanted"
    return replace(records, dataset=dataset, quarantined=0, notes=(found + short,))


def _rows(settings: dict[str, Any]) -> Iterator[Row]:
    """One pass over the source."""
    bad = _Immediate(settings["policy"], settings["path"])
    converter = Converter(settings["columns"], settings["layout"], bad, settings["limit"])
    names = None
    for row in converter(settings["opened"].parts):
        names = names or schema(converter.layout.kind, bool(converter.conversational)).names  # type: ignore[union-attr]
        yield {name: row.get(name) for name in names}


class _Immediate(BadRows):
    """Malformed rows that are dealt with at once, because there may be no end to wait for."""

    def add(self, where: str, error: Any, row: Any) -> None:
        if self.policy == "error" or self.path is None:
            self.found = [(where, error, row)]
            raise self.error()
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line(where, error, row))
