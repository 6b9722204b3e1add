"""What makes a rationale useless, told by its words (English only)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from truing.data.checks.refusals import is_refusal

RUN = 5
"""Words in a run that is compared with the answers."""

MOST_COPIED = 0.7
"""Largest share of a rationale's runs that may stand in one of the answers. Quotations stay far below."""

_ANSWER = r"(?:answer|response|reply|assistant|completion)"
_PLACE = re.compile(
    rf"\b{_ANSWER}\s*[#(\[“\"']*(?-i:A|B|1|2)\b"
    rf"|\b(?:first|second|left-hand|right-hand) {_ANSWER}\b"
    rf"|\b{_ANSWER} (?:above|below)\b",
    re.IGNORECASE,
)
_WORSE = r"(?:is|was|seems) (?!not\b|never\b|no\b|hardly\b)(?:\w+ )?"
_REVERSED = re.compile(
    rf"\b(?:other|rejected|dispreferred) {_ANSWER} {_WORSE}(?:better|preferable|superior)\b"
    rf"|\bpreferred {_ANSWER} {_WORSE}(?:worse|inferior)\b",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^\W*(?:rationale|explanation)\s*:\W*", re.IGNORECASE)


def tidied(reply: str) -> str:
    """A reply without the heading that some models write first."""
    return _HEADING.sub("", reply.strip(), count=1).strip()


def copied_share(text: str, source: str) -> float:
    """Share of a text's runs of five words that stand in another; 1 where a shorter text stands in it whole.

    Returns:
        In [0, 1]; 0 for a text without words.
    """
    words, others = (re.findall(r"\w+", one.lower()) for one in (text, source))
    size = min(RUN, len(words))
    if not size:
        return 0.0
    known = {tuple(others[place : place + size]) for place in range(len(others) - size + 1)}
    runs = [tuple(words[place : place + size]) for place in range(len(words) - size + 1)]
    return sum(run in known for run in runs) / len(runs)


@dataclass(frozen=True)
class _Explained:
    """A rationale beside what it explains."""

    text: str
    prompt: str
    answers: tuple[str, str]


def _empty(one: _Explained) -> bool:
    return not re.search(r"\w", one.text)


def _refuses(one: _Explained) -> bool:
    return is_refusal(one.text)


def _names_a_place(one: _Explained) -> bool:
    # A question may itself speak of a first answer or an assistant 2.
    found = (match.group() for match in _PLACE.finditer(one.text))
    return any(all(place not in text for text in (one.prompt, *one.answers)) for place in found)


def _contradicts(one: _Explained) -> bool:
    return _REVERSED.search(one.text) is not None


def _copies(one: _Explained) -> bool:
    return any(copied_share(one.text, answer) > MOST_COPIED for answer in one.answers)


FAULTS: dict[str, tuple[Callable[[_Explained], bool], str]] = {
    "empty": (_empty, "it has no words"),
    "refuses": (_refuses, "it explains nothing"),
    "place": (_names_a_place, "it calls an answer by its place, which differs from reader to reader"),
    "contradicts": (_contradicts, "it argues against the preference"),
    "copies": (_copies, "it repeats an answer instead of explaining"),
}
"""What is looked for, in this order, by name: a test, and how a model is told."""


def fault_in(text: str, prompt: str, chosen: str, rejected: str) -> str | None:
    """The first fault of a rationale, by its name in :data:`FAULTS`; ``None`` if it can be used."""
    one = _Explained(text, prompt, (chosen, rejected))
    return next((name for name, (found, _) in FAULTS.items() if found(one)), None)
