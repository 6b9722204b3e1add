"""Standard rows as an Arrow table: in memory while it is small, else in a memory-mapped file of the cache."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from truing.cache import cache_folder
from truing.data.records import NUMBER_COLUMNS, STRING_COLUMNS, TEXT_COLUMNS
from truing.data.rows import Row
from truing.writing import atomic_path

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset

    from truing.objectives.algebra.scores import DataKind

BATCH_ROWS = 500
"""Rows of an Arrow batch: few enough that the longest rows allowed stay below Arrow's 2 GiB a string column."""
LARGEST_IN_MEMORY = 256 * 2**20


def schema(kind: DataKind, conversational: bool) -> pa.Schema:
    """Arrow types of the standard columns, the optional ones included."""
    import pyarrow as pa

    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    said = pa.list_(message) if conversational else pa.string()
    fields: list[tuple[str, Any]] = [("id", pa.string())]
    fields += [(name, pa.list_(said) if name == "completions" else said) for name in TEXT_COLUMNS[kind]]
    if kind == "unpaired":
        fields.append(("label", pa.bool_()))
    if kind == "ranked":
        fields.append(("scores", pa.list_(pa.float64())))
        fields += [("ratings", pa.list_(pa.list_(pa.float64()))), ("rated", pa.list_(pa.string()))]
    fields += [(name, pa.float64()) for name in NUMBER_COLUMNS]
    fields += [(name, pa.string()) for name in STRING_COLUMNS if name != "id"]
    return pa.schema(fields)


class TableWriter:
    """Collects standard rows of one kind and form; a context manager, so that no partial file stays behind.

    Args:
        kind: what the rows are.
        conversational: whether their texts are message lists.
        key: name of the file in the cache, for equal content the same; ``None`` keeps the table in memory.
    """

    def __init__(self, kind: DataKind, conversational: bool, key: str | None) -> None:
        self.schema = schema(kind, conversational)
        self.path = None if key is None else cache_folder() / "records" / f"{key}.arrow"
        self.rows = 0
        self._pending: list[Row] = []
        self._batches: list[pa.RecordBatch] = []
        self._bytes = 0
        self._filled: set[str] = set()
        self._stream: pa.RecordBatchStreamWriter | None = None
        self._files = contextlib.ExitStack()

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self._files.__exit__(*error)

    def add(self, row: Row) -> None:
        """Add a standard row."""
        self._pending.append(row)
        self.rows += 1
        if len(self._pending) >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._pending:
            return
        batch = pa.RecordBatch.from_pylist(self._pending, schema=self.schema)
        self._pending = []
        self._filled |= {name for name in batch.schema.names if batch[name].null_count < len(batch)}
        self._batches.append(batch)
        self._bytes += batch.nbytes
        if self._stream is None and self.path is not None and self._bytes > LARGEST_IN_MEMORY:
            self._stream = self._files.enter_context(open_stream(self.path, self.schema))
        if self._stream is not None:
            for waiting in self._batches:
                self._stream.write_batch(waiting)
            self._batches = []

    def finish(self) -> Dataset:
        """The data set, without the optional columns that no row has."""
        import pyarrow as pa
        from datasets import Dataset

        self._flush()
        names = [name for name in self.schema.names if name in self._filled]
        if self._stream is None:
            return Dataset(pa.Table.from_batches(self._batches, schema=self.schema).select(names))
        self._files.close()
        return Dataset.from_file(str(self.path)).select_columns(names)


@contextlib.contextmanager
def open_stream(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatchStreamWriter]:
    """An Arrow file that ``Dataset.from_file`` can map; it appears when the block ends well, or not at all."""
    import pyarrow as pa

    with (
        atomic_path(path) as partial,
        pa.OSFile(str(partial), "wb") as sink,
        pa.ipc.new_stream(sink, schema) as stream,
    ):
        yield stream
