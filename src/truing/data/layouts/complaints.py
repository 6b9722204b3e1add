"""Logged answers with what the user said of them (DRIFT, 2510.02341); others are left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.shared import EXTRAS, answer_to_prompt, extras, holds_answers
from truing.data.rows import Converted, Row, RowError, Skip, field, flag, kind_of


def _said(value: Any) -> str:
    """The user's words, as text or as a message."""
    if isinstance(value, dict):
        value = value.get("content")
    if not isinstance(value, str):
        raise RowError(f"`complaint` is {kind_of(value)}; allowed: text, or one message of the user")
    return value


def _convert(row: Row) -> Iterator[Converted]:
    if row.get("satisfied") is not None and flag(row, "satisfied"):
        yield Skip("the user was content")
        return
    prompt, completion = answer_to_prompt(row, "rejected")
    rest = {name: value for name, value in row.items() if name != "complaint"}
    yield {"prompt": prompt, "completion": completion, "complaint": _said(field(row, "complaint")), **extras(rest)}


LAYOUTS.add(
    Layout(
        name="complaints",
        aliases=("drift",),
        summary="an answer that a user was not content with, and the complaint",
        kind="unwanted",
        needs=("prompt", "rejected", "complaint"),
        uses=("satisfied", "system", *(name for name in EXTRAS if name != "complaint")),
        fits=holds_answers("rejected"),
        convert=_convert,
        example={"prompt": "Name a fruit.", "rejected": " A carrot.", "complaint": "That is not a fruit."},
    )
)
