"""What an answer comes down to: the number, the option or the words that are counted when answers vote."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Literal

from truing.rewards.functions.exact_match import normalised
from truing.rewards.functions.number_text import boxed, final_number

Reading = Literal["number", "option", "boxed", "text"]

_STATED = re.compile(r"\b(?i:answer|option|choice)\b\s*(?i:is|:)?\s*\(?([A-Z])\b")
_ALONE = re.compile(r"(?<![A-Za-z'’])([A-Z])(?=[).:]|\s*$)")


def number(text: str) -> Hashable | None:
    """The number that the answer ends with; ``None`` without one."""
    found = final_number(text)
    return None if found is None else found.number


def option(text: str) -> Hashable | None:
    """The letter of an option, the one that is stated last, else the last that stands alone; ``None`` without one."""
    stated = _STATED.findall(text)
    alone = _ALONE.findall(text)
    return stated[-1].upper() if stated else (alone[-1] if alone else None)


def in_box(text: str) -> Hashable | None:
    """What stands in the last box of TeX, without spaces; ``None`` without one."""
    found = boxed(text)
    return None if found is None else "".join(found.split())


def words(text: str) -> Hashable | None:
    """The whole answer, up to case, punctuation, articles and space; ``None`` of an empty one."""
    return normalised(text, frozenset({"case", "space", "punctuation", "articles"})) or None


READINGS: dict[Reading, Callable[[str], Hashable | None]] = {
    "number": number,
    "option": option,
    "boxed": in_box,
    "text": words,
}
