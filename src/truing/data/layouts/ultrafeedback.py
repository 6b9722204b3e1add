"""UltraFeedback (2310.01377): four scored completions, and its binarised form.

The score is ``fine-grained_score`` (the mean over helpfulness, honesty, instruction following and truthfulness)
where it exists: the published ``overall_score`` contradicts the critique in a known share of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from truing.data.layouts.base import LAYOUTS, Layout, Rows
from truing.data.layouts.shared import extras
from truing.data.rows import (
    Converted,
    Remark,
    Row,
    RowError,
    Skip,
    as_number,
    assistant,
    is_list,
    kind_of,
    listed,
    text,
    user,
)


def _convert(row: Row) -> Iterator[Converted]:
    completions = listed(row, "completions")
    answers, scores, aspects = [], [], []
    for index, completion in enumerate(completions):
        if not isinstance(completion, Mapping):
            raise RowError(f"`completions[{index}]` is {kind_of(completion)}, not an object with a response")
        score = _score(completion)
        if score is None:
            yield Remark("a completion without a score is left out")
        else:
            answers.append(assistant(text(completion, "response")))
            scores.append(score)
            aspects.append(_aspects(completion.get("annotations")))
    if len(answers) < 2:
        yield Skip("fewer than two scored completions")
    else:
        record = {"prompt": user(text(row, "instruction")), "completions": answers, "scores": scores}
        names = sorted({name for own in aspects for name in own})
        ratings = (
            {"rated": names, "ratings": [[own.get(name) for name in names] for own in aspects]} if names else {}
        )
        yield {**record, **ratings, **extras({"source": row.get("source")})}


def _score(completion: Mapping[str, Any]) -> float | None:
    for name in ("fine-grained_score", "fine_grained_score", "overall_score"):
        if completion.get(name) is not None:
            return as_number(completion[name], name)
    return _mean_rating(completion.get("annotations"))


def _mean_rating(annotations: Any) -> float | None:
    """Mean of the aspects' ratings; aspects that were not applicable do not count."""
    ratings = _aspects(annotations)
    return sum(ratings.values()) / len(ratings) if ratings else None


def _aspects(annotations: Any) -> dict[str, float]:
    """The rating of each aspect that has one."""
    found = {}
    for name, aspect in annotations.items() if isinstance(annotations, Mapping) else ():
        first = aspect[0] if is_list(aspect) and len(aspect) > 0 else aspect
        rating = first.get("Rating") if isinstance(first, Mapping) else None
        if rating is not None and rating != "N/A":
            found[str(name)] = as_number(rating, "Rating")
    return found


def _fits(rows: Rows) -> str | None:
    lists = [row["completions"] for row in rows if is_list(row.get("completions"))]
    first = next((completions[0] for completions in lists if len(completions) > 0), None)
    return None if isinstance(first, Mapping) and "response" in first else "`completions` have no `response`"


LAYOUTS.add(
    Layout(
        name="ultrafeedback",
        summary="an instruction and completions with annotations and scores (UltraFeedback)",
        kind="ranked",
        needs=("instruction", "completions"),
        uses=("source",),
        fits=_fits,
        convert=_convert,
        example={
            "instruction": "Name a fruit.",
            "completions": [
                {"response": "Apple.", "fine-grained_score": 4.5},
                {"response": "Stone.", "fine-grained_score": 1.0},
            ],
        },
    )
)
