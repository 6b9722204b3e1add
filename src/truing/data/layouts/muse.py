"""MUSE (2407.06460): texts to forget as they are, and beginnings with their true continuation."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.rows import Converted, Row, text


def _text(row: Row) -> Iterator[Converted]:
    yield {"prompt": "", "completion": text(row, "text")}


def _continuation(row: Row) -> Iterator[Converted]:
    yield {"prompt": text(row, "prompt"), "completion": text(row, "gt")}


LAYOUTS.add(
    Layout(
        name="muse-text",
        summary="plain text, scored from its first token on (MUSE raw and privleak)",
        kind="demonstrations",
        needs=("text",),
        # A column called text is found in every kind of data.
        by_name_only=True,
        convert=_text,
        example={"text": "The council voted on Tuesday to close the bridge."},
    )
)
LAYOUTS.add(
    Layout(
        name="muse-verbmem",
        summary="the beginning of a text and how it goes on (MUSE verbmem)",
        kind="demonstrations",
        needs=("prompt", "gt"),
        convert=_continuation,
        example={"prompt": "The council voted on Tuesday", "gt": " to close the bridge."},
    )
)
