"""Prompts alone, for runs with an `online` section, in which the model answers them itself."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.shared import EXTRAS, explicit_prompt, extras, holds_answers, with_system
from truing.data.rows import Converted, Row, optional_text, user


def _convert(row: Row) -> Iterator[Converted]:
    prompt = explicit_prompt(row)
    if isinstance(prompt, str) and optional_text(row, "system"):
        prompt = with_system(user(prompt), row)
    yield {"prompt": prompt, "completions": [], **extras(row)}


LAYOUTS.add(
    Layout(
        name="prompts",
        summary="a prompt without any answer, for online training; never detected",
        kind="samples",
        needs=("prompt",),
        uses=("system", *EXTRAS),
        fits=holds_answers("prompt"),
        convert=_convert,
        by_name_only=True,
        example={"prompt": "What is 2 + 3?", "context": "5"},
        note="Nobody answered these prompts: only a run with an online section learns from them.",
    )
)
