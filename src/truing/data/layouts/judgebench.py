"""JudgeBench (2410.12784): pairs of answers of which one is objectively right."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.verdicts import compare
from truing.data.rows import Converted, Row, text


def _convert(row: Row) -> Iterator[Converted]:
    extra: Row = {"source": text(row, "source")} if row.get("source") is not None else {}
    if row.get("pair_id") is not None:
        extra["id"] = text(row, "pair_id")
    yield compare(row, "question", "response_A", "response_B", {"A>B": "first", "B>A": "second"}, **extra)


LAYOUTS.add(
    Layout(
        name="judgebench",
        summary="two responses and which one is right: A>B or B>A (JudgeBench)",
        kind="pairs",
        needs=("question", "response_A", "response_B", "label"),
        uses=("source", "pair_id"),
        convert=_convert,
        example={"question": "2 + 2?", "response_A": "4", "response_B": "5", "label": "A>B"},
    )
)
