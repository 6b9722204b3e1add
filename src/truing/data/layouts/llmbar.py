"""LLMBar (2310.07641): pairs in which one output follows the instruction and the other only looks better."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.verdicts import compare
from truing.data.rows import Converted, Row


def _convert(row: Row) -> Iterator[Converted]:
    yield compare(row, "input", "output_1", "output_2", {1: "first", 2: "second"})


LAYOUTS.add(
    Layout(
        name="llmbar",
        summary="two outputs and which one is better: 1 or 2 (LLMBar)",
        kind="pairs",
        needs=("input", "output_1", "output_2", "label"),
        convert=_convert,
        example={"input": "Name a fruit.", "output_1": "Apple.", "output_2": "Stone.", "label": 1},
    )
)
