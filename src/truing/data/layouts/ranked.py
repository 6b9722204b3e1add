"""Ranked answers: several completions of one prompt, each with a score; larger is better."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.shared import EXTRAS, extras, holds_lists, prompt_and_answers
from truing.data.rows import Converted, Row, RowError, as_number, is_list, listed


def _convert(row: Row) -> Iterator[Converted]:
    scores = [_score(value, index) for index, value in enumerate(listed(row, "scores"))]
    ratings = _ratings(row)
    prompt, answers = prompt_and_answers(row)
    yield {"prompt": prompt, "completions": answers, "scores": scores, **ratings, **extras(row)}


def _ratings(row: Row) -> Row:
    """Several criteria by name, where the row has names for them."""
    if row.get("objectives") is None:
        return {}
    names = [str(name) for name in listed(row, "objectives")]
    given = listed(row, "scores")
    if not all(is_list(own) and len(own) == len(names) for own in given):
        raise RowError(f"`objectives` names {len(names)} criteria, and an answer has another number of scores")
    return {
        "rated": names,
        "ratings": [
            [None if part is None else as_number(part, f"scores[{i}]") for part in own]
            for i, own in enumerate(given)
        ],
    }


def _score(value: Any, index: int) -> float:
    """One number a completion; several criteria are averaged."""
    name = f"scores[{index}]"
    if value is None:
        raise RowError(f"`{name}` is null", "remove the completion, or give it a score")
    if not is_list(value):
        return as_number(value, name)
    if not value:
        raise RowError(f"`{name}` is an empty list")
    known = [as_number(part, f"{name}[{j}]") for j, part in enumerate(value) if part is not None]
    if not known:
        raise RowError(f"`{name}` holds nothing but null", "remove the completion, or give it a score")
    return sum(known) / len(known)


LAYOUTS.add(
    Layout(
        name="ranked",
        aliases=("listwise",),
        summary="several answers to one prompt, each with a score",
        kind="ranked",
        needs=("prompt", "completions", "scores"),
        uses=("system", "objectives", *EXTRAS),
        fits=holds_lists("completions", "scores"),
        convert=_convert,
        example={"prompt": "The sky is", "completions": [" blue.", " green."], "scores": [1.0, 0.0]},
    )
)
