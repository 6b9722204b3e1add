"""Key phrases of a text (RAKE, Rose et al. 2010): runs of words between stop words and punctuation.

A word's score is its degree (the words of all phrases that it stands in) over its frequency; a phrase's score is the
sum over its words.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

_PIECE = re.compile(r"[A-Za-z0-9'’-]+|[^\sA-Za-z0-9'’-]")


@dataclass(frozen=True)
class Phrase:
    """A key phrase and where it stands.

    Attributes:
        words: in lower case.
        spans: start and end of every occurrence, characters.
        score: larger is more telling.
    """

    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    score: float


@cache
def stop_words() -> frozenset[str]:
    """English words that carry no content."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)


def key_phrases(text: str) -> list[Phrase]:
    """Phrases of a text, the most telling first; ties in order of appearance."""
    runs: list[list[tuple[str, int, int]]] = [[]]
    for match in _PIECE.finditer(text):
        word = match[0].lower().replace("’", "'")
        if not word[0].isalnum() or word in stop_words():
            runs.append([])
        else:
            runs[-1].append((word, match.start(), match.end()))
    runs = [run for run in runs if run]
    frequency = Counter(word for run in runs for word, _, _ in run)
    degree: Counter[str] = Counter()
    for run in runs:
        for word, _, _ in run:
            degree[word] += len(run)
    spans: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for run in runs:
        spans.setdefault(tuple(word for word, _, _ in run), []).append((run[0][1], run[-1][2]))
    found = [
        Phrase(words, tuple(places), sum(degree[word] / frequency[word] for word in words))
        for words, places in spans.items()
    ]
    return sorted(found, key=lambda phrase: -phrase.score)


def without(text: str, phrases: list[Phrase]) -> str:
    """The text with every occurrence of some phrases removed, and doubled spaces closed."""
    for start, end in sorted((span for phrase in phrases for span in phrase.spans), reverse=True):
        text = text[:start] + text[end:]
    return re.sub(r"[ \t]{2,}", " ", text).strip()
