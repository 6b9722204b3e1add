"""Where an answer may be cut: after sentences and lines, never within code or an item of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

_FENCE = re.compile(r"\s*(```|~~~)")
_ITEM = re.compile(r"\s*(?:[-*+•]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s")
_END = re.compile(r"(?:[.!?…]+[\"'”’)\]]*\s+|[。！？]+)(?=\S)")
_SHORT = re.compile(r"(?:\b(?:e\.g|i\.e|cf|vs|etc|approx|Dr|Mr|Mrs|Ms|Prof|St|No|Fig|Eq)|\b[A-Z])\.\s+$")


def cut_points(text: str) -> list[int]:
    """Places, in characters, at which a text may be cut; without its two ends.

    A cut stands after the white space that follows a sentence or a line. Fenced code and items of lists are not cut
    within a line of theirs; fenced code not at all.
    """
    found = [place for place in _cuts(text) if 0 < place < len(text)]
    # A part of white space alone says nothing.
    return [place for place in dict.fromkeys(found) if text[:place].strip() and text[place:].strip()]


def split(text: str, cuts: Sequence[int]) -> tuple[str, ...]:
    """The parts between cuts, which joined are the text."""
    ends = [0, *cuts, len(text)]
    return tuple(text[start:end] for start, end in pairwise(ends))


def _cuts(text: str) -> Iterator[int]:
    fence: str | None = None
    place = 0
    for line in text.splitlines(keepends=True):
        opened = _FENCE.match(line)
        if opened and fence in (None, opened.group(1)):
            fence = None if fence else opened.group(1)
        elif fence is None and not _ITEM.match(line):
            yield from _sentences(line, place)
        place += len(line)
        if fence is None:
            yield _after_blank(text, place)


def _sentences(line: str, start: int) -> Iterator[int]:
    for end in _END.finditer(line):
        if not _SHORT.search(line[: end.end()]):
            yield start + end.end()


def _after_blank(text: str, place: int) -> int:
    """The beginning of the next line that says something, so that empty lines stay with what is above them."""
    while (end := text.find("\n", place)) >= 0 and not text[place:end].strip():
        place = end + 1
    return place
