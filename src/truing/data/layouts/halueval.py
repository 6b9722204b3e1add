"""HaluEval, general (2305.11747): ChatGPT's answers, marked by people as hallucinated or not."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.rows import Converted, Row, RowError, assistant, optional_text, shorten, text, user


def _convert(row: Row) -> Iterator[Converted]:
    verdict = text(row, "hallucination").strip().lower()
    if verdict not in ("yes", "no"):
        raise RowError(f"`hallucination` is {shorten(verdict)}; allowed: yes, no")
    record: Row = {
        "prompt": user(text(row, "user_query")),
        "completion": assistant(text(row, "chatgpt_response")),
        "label": verdict == "no",
    }
    number = optional_text(row, "ID")
    yield {**record, "id": number} if number else record


LAYOUTS.add(
    Layout(
        name="halueval",
        summary="a query, an answer, and whether it hallucinates; liked where it does not (HaluEval general)",
        kind="unpaired",
        needs=("user_query", "chatgpt_response", "hallucination"),
        uses=("ID",),
        convert=_convert,
        example={"user_query": "2 + 2?", "chatgpt_response": "5", "hallucination": "yes"},
    )
)
