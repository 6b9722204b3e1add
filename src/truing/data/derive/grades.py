"""Answers of graded quality for free (SPO, 2409.17791): the more of its key content is removed, the less is left to
like, or to dislike.

Grade 0 is the answer as it is; in the last grade all key phrases are gone.
"""

from __future__ import annotations

from functools import partial

from truing.data.derive.base import PARTS, PartMaker, as_answer, said
from truing.data.derive.keywords import key_phrases, without
from truing.data.rows import Row

GRADES = range(2, 6)
"""Numbers of grades that there are parts for."""


def graded(text: str, grades: int) -> list[str]:
    """The text in every grade: the most telling ``c/(grades − 1)`` of its key phrases removed in grade c."""
    phrases = key_phrases(text)
    return [without(text, phrases[: round(len(phrases) * c / (grades - 1))]) for c in range(grades)]


def part_name(side: str, grades: int) -> str:
    """Name of the part with the grades of the chosen or of the rejected answer."""
    return f"graded_{side}_{grades}"


def _rows(side: str, grades: int, row: Row, seed: int) -> Row | None:
    texts = graded(said(row[side]), grades)
    # An answer without key phrases has no grades, and one of nothing else would be empty.
    if len(set(texts)) < grades or not all(text.strip() for text in texts):
        return None
    return {"prompt": row["prompt"], "completions": [as_answer(text, row[side]) for text in texts]}


for _side in ("chosen", "rejected"):
    for _grades in GRADES:
        PARTS.add(
            PartMaker(
                part_name(_side, _grades),
                f"the {_side} answer in {_grades} grades, with more and more of its key phrases removed",
                "samples",
                partial(_rows, _side, _grades),
            )
        )
