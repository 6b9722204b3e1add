"""HelpSteer (2311.09528): one response, rated from 0 to 4 in five respects."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.rows import Converted, Row, Skip, assistant, number, text, user

RATED = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")


def _convert(row: Row) -> Iterator[Converted]:
    ratings = [None if row.get(name) is None else number(row, name) for name in RATED]
    known = [rating for rating in ratings if rating is not None]
    if not known:
        yield Skip("no rating")
        return
    yield {
        "prompt": user(text(row, "prompt")),
        "completions": [assistant(text(row, "response"))],
        "scores": [sum(known) / len(known)],
        "ratings": [ratings],
        "rated": list(RATED),
    }


LAYOUTS.add(
    Layout(
        name="helpsteer",
        summary="a response rated for helpfulness, correctness, coherence, complexity and verbosity (HelpSteer)",
        kind="ranked",
        needs=("prompt", "response", "helpfulness", "correctness"),
        uses=("coherence", "complexity", "verbosity"),
        convert=_convert,
        example={"prompt": "2 + 2?", "response": "4", **dict.fromkeys(RATED, 3)},
    )
)
