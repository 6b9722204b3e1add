"""Questions out of files, and prompts as they are shown into files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from truing.data import load
from truing.data.files import find_files, no_such_file
from truing.data.readers import read_rows
from truing.errors import DataError, did_you_mean
from truing.prompting.transform import Shown
from truing.writing import write_text


def read_questions(source: str, *, column: str | None = None, limit: int | None = None) -> list[Shown]:
    """The prompts of a data set, each once, with the columns of the first record that has it.

    Args:
        source: file, folder, glob or hub data set; a layout with answers, or prompts alone.
        column: of files, the column that holds the prompt, where no layout is wanted.
        limit: read only so many rows.

    Raises:
        DataError: if it cannot be read, or has no such column.
    """
    rows = _with_column(source, column, limit) if column is not None else _with_layout(source, limit)
    found: dict[str, Shown] = {}
    for prompt, context in rows:
        found.setdefault(json.dumps(prompt, sort_keys=True), Shown.of(prompt, context))
    return list(found.values())


def _with_column(source: str, column: str, limit: int | None) -> Iterable[tuple[Any, dict[str, Any]]]:
    files = find_files(source, None, whole=True)
    if files is None:
        raise no_such_file(source)
    for path in files:
        for number, row in islice(read_rows(path), limit):
            prompt = row.get(column)
            if not isinstance(prompt, str | list) or not prompt:
                raise DataError(
                    f"there is no prompt in the column {column!r}",
                    where=f"{path}:{number}",
                    allowed=", ".join(map(str, row)),
                    fix=did_you_mean(column, map(str, row)),
                )
            yield prompt, {str(name): value for name, value in row.items() if name != column}


def _with_layout(source: str, limit: int | None) -> Iterable[tuple[Any, dict[str, Any]]]:
    try:
        records = load(source, limit=limit)
    except DataError as error:
        if not error.what.startswith("these are prompts without answers"):
            raise
        records = load(source, limit=limit, layout="prompts")
    names = [name for name in records.columns if name != "prompt"]
    for row in records:
        yield row["prompt"], {name: _text(row[name]) for name in names}


def _text(value: Any) -> Any:
    """Answers that are messages as their text, which is what rewards compare with."""
    if isinstance(value, list) and value and all(isinstance(part, dict) and "content" in part for part in value):
        return "\n\n".join(str(part["content"]) for part in value)
    return value


def only(asked: Sequence[Shown], condition: str, where: str) -> list[Shown]:
    """Questions whose context has a value in a column, as it is typed: ``label=safe``.

    Raises:
        DataError: if the condition is written otherwise, or no question meets it.
    """
    column, equals, value = condition.partition("=")
    found = [one for one in asked if str(one.context.get(column)) == value]
    if not equals or not found:
        known = sorted({str(one.context.get(column)) for one in asked if column in one.context})[:10]
        raise DataError(
            f"no question has {condition!r}",
            where=where,
            allowed=f"{column}={', '.join(known)}" if known else "COLUMN=VALUE with a column of the file",
        )
    return found


def write_shown(path: Path, shown: Sequence[Shown]) -> None:
    """Write prompts as JSON lines: ``prompt`` as it is shown, ``original``, what ends an answer, and the context."""
    write_rows(path, (shown_row(one) for one in shown))


def shown_row(one: Shown) -> dict[str, Any]:
    """One of them."""
    return {
        "prompt": one.prompt,
        "original": one.original,
        "stop": list(one.stop),
        "verbatim": one.verbatim,
        "context": dict(one.context),
    }


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines in one step.

    Raises:
        RunError: if the file cannot be written.
    """
    write_text(path, "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows))
