"""Rule: whether an answer has a given form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from truing.errors import ObjectiveError
from truing.parameters import Doc
from truing.rewards.functions.rules import OfText
from truing.rewards.plain import plain

Pattern = Annotated[
    str | None,
    Doc("regular expression of Python that the whole answer matches; . matches line breaks", "a valid expression"),
]
Sections = Annotated[
    list[str] | None,
    Doc(
        "marks that stand in the answer in this order, each once",
        "texts, e.g. [<think>, </think>, <answer>]",
        public=True,
    ),
]


@dataclass(frozen=True)
class Matches:
    """1 where the expression matches all of the answer, apart from space at its ends."""

    pattern: re.Pattern[str]

    def __call__(self, completion: str) -> float:
        return float(self.pattern.fullmatch(completion.strip()) is not None)


@dataclass(frozen=True)
class InOrder:
    """1 where every mark is there once, after the one before it."""

    marks: tuple[str, ...]

    def __call__(self, completion: str) -> float:
        place = 0
        for mark in self.marks:
            found = completion.find(mark, place)
            if found < 0 or completion.count(mark) != 1:
                return 0.0
            place = found + len(mark)
        return 1.0


@plain(kind="reward", name="format", summary="1 where the answer has the required form, else 0.")
def format_rule(pattern: Pattern = None, sections: Sections = None) -> OfText:
    """1[the answer matches].

    Raises:
        ObjectiveError: if not exactly one of the two is given, or the expression is invalid.
    """
    if (pattern is None) == (not sections):
        raise ObjectiveError(
            "format needs a regular expression or sections, and not both",
            allowed="pattern or sections",
            fix="e.g. sections: [<think>, </think>, <answer>, </answer>]",
        )
    if sections:
        if not all(sections) or len(set(sections)) < len(sections):
            raise ObjectiveError("a section is empty or named twice", where="sections", allowed="different texts")
        return OfText("format", InOrder(tuple(sections)))
    try:
        return OfText("format", Matches(re.compile(pattern or "", re.DOTALL)))
    except re.error as error:
        raise ObjectiveError(f"{pattern!r} is no regular expression: {error}", where="pattern") from None
