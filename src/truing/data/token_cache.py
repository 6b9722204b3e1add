"""Token ids on disk, found again by records, tokenizer and settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xxhash

from truing.cache import cache_folder
from truing.data.rows import Row
from truing.data.table import open_stream
from truing.data.token_report import TokenReport
from truing.errors import TruingError
from truing.writing import write_json

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset

VERSION = 1
"""Changes when the same records would give other tokens."""


def key(*parts: Any) -> str:
    """A name that changes with any of the parts."""
    return xxhash.xxh3_128_hexdigest(json.dumps([VERSION, *parts]).encode())


def tokenizer_identity(tokenizer: Any) -> str | None:
    """A hash of everything that decides which tokens a fast tokenizer gives; ``None`` for a slow one."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return None
    state = json.loads(backend.to_str())
    for transient in ("padding", "truncation"):  # left behind by whoever called it last
        state.pop(transient, None)
    special = {name: str(token) for name, token in tokenizer.special_tokens_map.items()}
    return xxhash.xxh3_128_hexdigest(json.dumps([state, special], sort_keys=True).encode())


def path_of(key: str) -> Path:
    """The file of one tokenisation."""
    return cache_folder() / "tokens" / f"{key}.arrow"


def schema(columns: Sequence[str]) -> pa.Schema:
    """Arrow types of encoded rows."""
    import pyarrow as pa

    types = {"id": pa.string(), "label": pa.bool_(), "scores": pa.list_(pa.float64()), "annotator": pa.int32()}
    types |= {"ratings": pa.list_(pa.list_(pa.float64())), "rated": pa.list_(pa.string())}
    ids = pa.list_(pa.int32())
    fields = [("prompt_ids", ids), ("completion_ids", pa.list_(ids))]
    return pa.schema(fields + [(name, types.get(name, pa.float64())) for name in columns])


def table(rows: Iterable[Row], columns: Sequence[str], path: Path | None) -> Dataset:
    """Encoded rows as a data set: mapped from ``path``, or in memory."""
    import pyarrow as pa
    from datasets import Dataset

    fields = schema(columns)
    source = iter(rows)
    batches = iter(lambda: list(islice(source, 500)), [])
    arrow = (pa.RecordBatch.from_pylist(batch, schema=fields) for batch in batches)
    if path is None:
        return Dataset(pa.Table.from_batches(list(arrow), schema=fields))
    with open_stream(path, fields) as stream:
        for batch in arrow:
            stream.write_batch(batch)
    return Dataset.from_file(str(path))


def write_report(key: str, report: TokenReport) -> None:
    """Keep the report beside the tokens; only with it are they found again."""
    write_json(path_of(key).with_suffix(".json"), report.as_dict())


def read(key: str) -> tuple[Dataset, TokenReport] | None:
    """Tokens and report of an earlier tokenisation, or ``None``; a damaged entry is none."""
    from datasets import Dataset

    path = path_of(key)
    try:
        report = TokenReport.from_dict(json.loads(path.with_suffix(".json").read_text(encoding="utf-8")))
        return Dataset.from_file(str(path)), report
    except (OSError, ValueError, TypeError, KeyError, TruingError):
        return None
