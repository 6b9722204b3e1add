"""Samples: several answers of a model to one prompt, of which nothing is said."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.shared import EXTRAS, extras, holds_lists, prompt_and_answers
from truing.data.rows import Converted, Row


def _convert(row: Row) -> Iterator[Converted]:
    prompt, answers = prompt_and_answers(row)
    yield {"prompt": prompt, "completions": answers, **extras(row)}


LAYOUTS.add(
    Layout(
        name="samples",
        summary="several answers to one prompt, of which nothing is said",
        kind="samples",
        needs=("prompt", "completions"),
        uses=("system", *EXTRAS),
        fits=holds_lists("completions"),
        convert=_convert,
        example={"prompt": "The sky is", "completions": [" blue.", " green."]},
        note="No answer is called better: what compares answers cannot learn from them.",
    )
)
