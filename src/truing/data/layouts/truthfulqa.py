"""TruthfulQA (2109.07958): the best answer against each of the incorrect ones."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.verdicts import verdict
from truing.data.rows import Converted, Row, RowError, text


def _convert(row: Row) -> Iterator[Converted]:
    best = text(row, "Best Answer").strip()
    wrong = [answer.strip() for answer in text(row, "Incorrect Answers").split(";") if answer.strip()]
    if not best or not wrong:
        raise RowError("there is no best answer, or no incorrect one")
    extra = {"source": text(row, "Category")} if row.get("Category") is not None else {}
    for answer in wrong:
        yield verdict(text(row, "Question"), best, answer, first_wins=True, **extra)


LAYOUTS.add(
    Layout(
        name="truthfulqa",
        summary="a question, its best answer and its incorrect answers; one pair for each of them (TruthfulQA)",
        kind="pairs",
        needs=("Question", "Best Answer", "Incorrect Answers"),
        uses=("Category",),
        convert=_convert,
        example={"Question": "2 + 2?", "Best Answer": "4", "Incorrect Answers": "5; 22"},
    )
)
