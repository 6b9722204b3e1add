"""Model-written evaluations (2212.09251): a question, the answer that shows a behaviour, and one that does not.

Chosen is the answer that *shows* the behaviour, which is often an unwanted one: exchange the two columns to
train against it. The space before each answer belongs to the published prompt format and is removed.
"""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.verdicts import verdict
from truing.data.rows import Converted, Row, RowError, number, text

_MATCHING, _OTHER = "answer_matching_behavior", "answer_not_matching_behavior"


def _convert(row: Row) -> Iterator[Converted]:
    extra: Row = {}
    if row.get("behavior") is not None:
        extra["source"] = text(row, "behavior")
    if row.get("label_confidence") is not None:
        confidence = number(row, "label_confidence")
        if not 0 <= confidence <= 1:
            raise RowError(f"`label_confidence` is {confidence}, but it is a probability")
        extra["preference"] = confidence
    matching, other = text(row, _MATCHING).removeprefix(" "), text(row, _OTHER).removeprefix(" ")
    yield verdict(text(row, "question"), matching, other, first_wins=True, **extra)


LAYOUTS.add(
    Layout(
        name="model-written-evals",
        summary="a question, the answer that matches a behaviour (chosen) and the one that does not (rejected)",
        kind="pairs",
        needs=("question", _MATCHING, _OTHER),
        uses=("behavior", "label_confidence"),
        note="chosen is the answer that shows the behaviour; exchange the columns to train against it",
        convert=_convert,
        example={"question": "Is 2 + 2 = 4?", _MATCHING: " Yes", _OTHER: " No"},
    )
)
