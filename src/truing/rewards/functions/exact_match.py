"""Verifiable reward: whether an answer is one of the references, up to what does not matter."""

from __future__ import annotations

import re
import string
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from truing.parameters import Doc
from truing.rewards.functions.parameters import Column
from truing.rewards.functions.rules import WithReference
from truing.rewards.plain import plain

Ignored = Literal["case", "space", "punctuation", "articles"]

Ignore = Annotated[
    list[Ignored],
    Doc(
        "differences that do not count: case, space (runs of it, and at the ends), punctuation, articles (a, "
        "an, the)",
        "a list of case, space, punctuation, articles; an empty list compares characters",
    ),
]
_ALL: list[Ignored] = ["case", "space", "punctuation", "articles"]
_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation + "‘’“”–—…", " "))


@dataclass(frozen=True)
class ExactMatch:
    """1 where the answer is the reference, or one of several."""

    ignore: frozenset[Ignored]

    def __call__(self, completion: str, reference: Any) -> float:
        accepted = reference if isinstance(reference, list | tuple) else [reference]
        own = normalised(completion, self.ignore)
        return float(any(own == normalised(str(one), self.ignore) for one in accepted))


def normalised(text: str, ignore: frozenset[Ignored]) -> str:
    """The text without what does not count; applying it twice changes nothing more."""
    if not ignore:
        return text
    text = unicodedata.normalize("NFKC", text)
    if "case" in ignore:
        # Some characters have a compatibility form only once they are folded.
        text = unicodedata.normalize("NFKC", text.casefold())
    if "punctuation" in ignore:
        text = text.translate(_PUNCTUATION)
    if "articles" in ignore:
        text = re.sub(r"\b(?:a|an|the)\b", " ", text, flags=re.IGNORECASE)
    if {"space", "punctuation", "articles"} & ignore:
        # What was taken out leaves a gap.
        text = " ".join(text.split())
    return text


@plain(
    kind="reward",
    name="exact-match",
    summary="1 where the answer is the reference up to case, space, punctuation and articles, else 0.",
)
def exact_match(column: Column = "answer", ignore: Ignore = _ALL) -> WithReference:
    """1[n(y) = n(y*)] for any of the references of a record."""
    return WithReference("exact-match", ExactMatch(frozenset(ignore)), column)
