"""Unpaired feedback: one answer and whether it was liked (KTO, 2402.01306)."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.shared import EXTRAS, answer_to_prompt, extras, holds_answers
from truing.data.rows import Converted, Row, flag


def _convert(row: Row) -> Iterator[Converted]:
    prompt, completion = answer_to_prompt(row, "completion")
    yield {"prompt": prompt, "completion": completion, "label": flag(row, "label"), **extras(row)}


LAYOUTS.add(
    Layout(
        name="unpaired",
        aliases=("kto",),
        summary="one answer a row, and whether it was liked",
        kind="unpaired",
        needs=("prompt", "completion", "label"),
        uses=("system", *EXTRAS),
        fits=holds_answers("completion"),
        convert=_convert,
        example={"prompt": "The sky is", "completion": " blue.", "label": True},
    )
)
