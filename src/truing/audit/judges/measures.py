"""What can be counted in an answer without a model: a stand-in for what a reader would say of it, and no more."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from truing.rewards.functions.repetition import distinct_share

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE = re.compile(r"[.!?]+(?:\s|$)")
_LISTED = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+\S", re.MULTILINE)
_MARKED = re.compile(r"^\s*#{1,6}\s+\S|^\s*\|.+\|\s*$|^\s*```|\*\*[^*\n]+\*\*", re.MULTILINE)
_SOURCE = re.compile(
    r"https?://|\bdoi\b|\[\d+\]|\baccording to\b|\bet al\b|\d\s?%|\b(?:19|20)\d\d\b", re.IGNORECASE
)
_STEP = re.compile(r"\bstep \d|\bfirst(?:ly)?,|\bnext,|\bthen,|\bfinally,|\btherefore\b|\bso we\b", re.IGNORECASE)
_LIMIT = re.compile(
    r"\bI(?:['’]m| am) (?:sorry|unable|not able|not sure)|\bI (?:can(?:not|['’]t)|do(?: not|n['’]t) (?:know|have))|"
    r"\bas an AI\b|\bmy mistake\b|\bI apologi[sz]e\b",
    re.IGNORECASE,
)
_POLITE = re.compile(r"\b(?:please|thank(?:s| you)|sorry|pardon|welcome|appreciate|kindly)\b", re.IGNORECASE)
_FRIENDLY = re.compile(r"\b(?:glad|happy to|hope|great|wonderful|enjoy|hello|hi)\b|!", re.IGNORECASE)
_INFORMAL = re.compile(
    r"\b(?:yeah|gonna|wanna|kinda|lol|cool|hey|ok|okay)\b|[\U0001f300-\U0001faff]|[:;]-?[)(D]", re.IGNORECASE
)
_HEDGE = re.compile(
    r"\b(?:maybe|perhaps|possibly|might|could be|I think|I guess|not sure|it depends)\b", re.IGNORECASE
)
_FIRST_PERSON = re.compile(r"\b(?:I|me|my|mine|I['’]m|I['’]ve|I['’]ll)\b")
_COMMON = re.compile(
    "a|an|and|are|as|at|be|by|can|do|does|for|from|have|how|i|in|is|it|me|my|of|on|or|that|the|this|to|was|what|when|"
    "where|which|who|why|will|with|would|you|your"
)


def words(text: str) -> list[str]:
    """Runs of letters, in lower case."""
    return [word.lower() for word in _WORD.findall(text)]


def sentences(text: str) -> int:
    """How many there are, at least one of any text that is not empty."""
    return max(len(_SENTENCE.findall(text)), 1 if text.strip() else 0)


@dataclass(frozen=True)
class Measure:
    """A number that is counted in an answer.

    Attributes:
        what: in words, with its unit.
        of: from the prompt's text and the answer to the number.
    """

    what: str
    of: Callable[[str, str], float]


def _length(prompt: str, answer: str) -> float:
    return float(len(answer.split()))


def _sentences(prompt: str, answer: str) -> float:
    return float(sentences(answer))


def _questions(prompt: str, answer: str) -> float:
    return float(answer.count("?"))


def _hits(pattern: re.Pattern[str], prompt: str, answer: str) -> float:
    return float(len(pattern.findall(answer)))


def _format(prompt: str, answer: str) -> float:
    return float(len(_LISTED.findall(answer)) + len(_MARKED.findall(answer)))


def _variety(prompt: str, answer: str) -> float:
    return distinct_share(answer, 3)


def _long_words(prompt: str, answer: str) -> float:
    found = words(answer)
    return sum(len(word) >= 8 for word in found) / len(found) if found else 0.0


def _sentence_length(prompt: str, answer: str) -> float:
    return len(words(answer)) / max(sentences(answer), 1)


def _certainty(prompt: str, answer: str) -> float:
    return -len(_HEDGE.findall(answer)) / max(sentences(answer), 1)


def _coverage(prompt: str, answer: str) -> float:
    asked = {word for word in words(prompt) if not _COMMON.fullmatch(word)}
    return len(asked & set(words(answer))) / len(asked) if asked else 0.0


def _novelty(prompt: str, answer: str) -> float:
    known, own = words(prompt), words(answer)
    before, pairs = set(pairwise(known)), list(pairwise(own))
    return sum(pair not in before for pair in pairs) / len(pairs) if pairs else 0.0


def _details(prompt: str, answer: str) -> float:
    # Names inside of a sentence, and numbers.
    return float(len(re.findall(r"(?<=[a-z,;] )[A-Z]\w+|\d+(?:[.,]\d+)*", answer)))


MEASURES: Mapping[str, Measure] = {
    "length": Measure("words", _length),
    "sentences": Measure("sentences", _sentences),
    "format": Measure("list items, headings, table rows, fences and bold runs", _format),
    "variety": Measure("different runs of three words, as a share of all", _variety),
    "long-words": Measure("share of words of 8 or more letters", _long_words),
    "sentence-length": Measure("words a sentence", _sentence_length),
    "sources": Measure("links, citations, years and percentages", partial(_hits, _SOURCE)),
    "steps": Measure("words that part steps", partial(_hits, _STEP)),
    "limits": Measure("phrases that admit a limit or a mistake", partial(_hits, _LIMIT)),
    "polite": Measure("polite words", partial(_hits, _POLITE)),
    "friendly": Measure("warm words and exclamation marks", partial(_hits, _FRIENDLY)),
    "informal": Measure("slang and emoji", partial(_hits, _INFORMAL)),
    "questions": Measure("question marks", _questions),
    "certainty": Measure("minus hedges a sentence", _certainty),
    "first-person": Measure("words of the first person", partial(_hits, _FIRST_PERSON)),
    "coverage": Measure("share of the prompt's content words that come back", _coverage),
    "novelty": Measure("share of word pairs that the prompt does not have", _novelty),
    "details": Measure("names and numbers", _details),
}
"""By name."""
