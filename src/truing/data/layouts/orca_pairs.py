"""Orca-style pairs: a system message, a question, and a chosen and a rejected answer."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.shared import EXTRAS, extras, with_system
from truing.data.rows import Converted, Row, assistant, text, user


def _convert(row: Row) -> Iterator[Converted]:
    yield {
        "prompt": with_system(user(text(row, "question")), row),
        "chosen": assistant(text(row, "chosen")),
        "rejected": assistant(text(row, "rejected")),
        **extras(row),
    }


LAYOUTS.add(
    Layout(
        name="orca-pairs",
        aliases=("orca-dpo-pairs",),
        summary="system, question, and a chosen and a rejected answer (Orca DPO pairs)",
        kind="pairs",
        needs=("question", "chosen", "rejected"),
        uses=("system", *EXTRAS),
        convert=_convert,
        example={"system": "", "question": "2 + 2?", "chosen": "4", "rejected": "5"},
    )
)
