"""Stack Exchange, paired: two answers to a question, the first one with more votes."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.verdicts import verdict
from truing.data.rows import Converted, Row, text


def _convert(row: Row) -> Iterator[Converted]:
    yield verdict(text(row, "question"), text(row, "response_j"), text(row, "response_k"), first_wins=True)


LAYOUTS.add(
    Layout(
        name="stack-exchange",
        aliases=("stack-exchange-paired",),
        summary="a question, the answer with more votes (response_j) and one with fewer (response_k)",
        kind="pairs",
        needs=("question", "response_j", "response_k"),
        convert=_convert,
        example={"question": "2 + 2?", "response_j": "4", "response_k": "5"},
    )
)
