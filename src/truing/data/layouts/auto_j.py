"""Auto-J pairwise tests (2310.05470): human verdicts over 58 scenarios, with ties."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.verdicts import compare
from truing.data.rows import Converted, Row, text


def _convert(row: Row) -> Iterator[Converted]:
    extra = {"source": text(row, "scenario")} if row.get("scenario") is not None else {}
    yield compare(row, "prompt", "response 1", "response 2", {0: "first", 1: "second", 2: "tie"}, **extra)


LAYOUTS.add(
    Layout(
        name="auto-j",
        summary="two responses and a verdict: 0 first, 1 second, 2 tie (Auto-J)",
        kind="pairs",
        needs=("prompt", "response 1", "response 2", "label"),
        uses=("scenario",),
        convert=_convert,
        example={"prompt": "Name a fruit.", "response 1": "Apple.", "response 2": "Stone.", "label": 0},
    )
)
