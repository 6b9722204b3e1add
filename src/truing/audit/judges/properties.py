"""The 29 properties of 2402.11296, and for some of them what can be counted in place of a rating."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from truing.audit.judges.measures import MEASURES

PROPERTIES: Mapping[str, str] = {
    "harmless": "holds nothing dangerous, insulting or discriminating",
    "grammatical": "has no mistakes of grammar, spelling or punctuation, and does not mix languages",
    "friendly": "is warm and welcoming in tone",
    "polite": "is courteous and respectful",
    "interactive": "asks the user for more, or offers questions to go on with",
    "authoritative": "sounds confident and expert",
    "humorous": "is funny",
    "figurative": "uses metaphor, simile, irony or other figures of speech",
    "complex-wording": "uses rare words, jargon or complicated sentences",
    "supporting-materials": "gives references, quotations, statistics or other sources",
    "well-formatted": "uses lists, headings, tables or other formatting",
    "admits-limits": "admits limits of what it can do, or a mistake",
    "persuasive": "tries to convince the user of a view or an action",
    "step-by-step": "derives what it says in steps",
    "informal": "uses slang, emoji or other informal words",
    "non-repetitive": "says nothing twice",
    "clear": "is easy to understand and not ambiguous",
    "relevant": "holds nothing that does not belong to the question",
    "novel": "takes an unusual view, or offers an unusual idea",
    "rich-information": "gives background, examples, explanations and details",
    "no-minor-errors": "has no errors that hardly matter",
    "no-moderate-errors": "has no errors that make part of it wrong",
    "no-severe-errors": "has no errors that make it wrong as a whole",
    "clarifies-intent": "clears up what the user wants, where the question does not say it",
    "empathetic": "responds to the feelings that the user expresses",
    "satisfies-constraints": "keeps every constraint that the question states",
    "supports-stance": "supports the opinions that the user states",
    "corrects-mistakes": "corrects the mistakes or prejudices that the question holds",
    "lengthy": "is long",
}
"""Names, in the paper's order, and what an answer that satisfies one is like. The length comes last."""

HIGHEST = 3
"""Ratings run from 0, not at all, to 3, perfectly."""


@dataclass(frozen=True)
class StandIn:
    """A count in place of a rating.

    Attributes:
        measure: its name.
        cuts: the rating is the number of cuts that the measure reaches.
    """

    measure: str
    cuts: tuple[float, float, float]

    def rating(self, prompt: str, answer: str) -> int:
        """From 0 to 3."""
        value = MEASURES[self.measure].of(prompt, answer)
        return sum(value >= cut for cut in self.cuts)


STAND_INS: Mapping[str, StandIn] = {
    "friendly": StandIn("friendly", (1, 2, 4)),
    "polite": StandIn("polite", (1, 2, 3)),
    "interactive": StandIn("questions", (1, 2, 3)),
    "authoritative": StandIn("certainty", (-0.3, -0.1, 0.0)),
    "complex-wording": StandIn("long-words", (0.1, 0.2, 0.3)),
    "supporting-materials": StandIn("sources", (1, 3, 6)),
    "well-formatted": StandIn("format", (1, 4, 10)),
    "admits-limits": StandIn("limits", (1, 2, 3)),
    "step-by-step": StandIn("steps", (1, 3, 5)),
    "informal": StandIn("informal", (1, 2, 3)),
    "non-repetitive": StandIn("variety", (0.6, 0.8, 0.95)),
    "relevant": StandIn("coverage", (0.2, 0.4, 0.7)),
    "rich-information": StandIn("details", (1, 5, 15)),
}
"""Counts for 13 of the 29; ours, not the paper's, where a model rates all. The other 15 need a reader."""


def longer(first: int, second: int) -> int:
    """1 where the first of two lengths counts as longer, −1 where the second does, 0 where they are about the same.

    As in the authors' code: the shorter one has at most 0.7, 0.8 or 0.9 of the longer one's words, and at least 10, 20
    or 40 words less. For answers of up to 11 words the code has a table; 1.6 times as many words is close to it.

    Args:
        first, second: words.
    """
    short, long = sorted((first, second))
    gap = long - short
    if short <= 11:
        apart = gap >= 1 and long >= 1.6 * short + 1
    else:
        apart = any(short <= share * long and gap >= least for share, least in ((0.7, 10), (0.8, 20), (0.9, 40)))
    return int(np.sign(first - second)) if apart else 0


COUNTED = (*STAND_INS, "lengthy")
"""Properties that are compared without a model."""


def counted_features(prompts: Sequence[str], first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """Comparisons that need no model: −1, 0 or 1, 1 where the first answer satisfies a property more.

    Returns:
        One column for each name of :data:`COUNTED`, shape ``[N, 14]``.
    """
    found = np.zeros((len(prompts), len(COUNTED)))
    for row, (prompt, own, other) in enumerate(zip(prompts, first, second, strict=True)):
        ratings = np.array([[each.rating(prompt, text) for text in (own, other)] for each in STAND_INS.values()])
        found[row] = [*compared(ratings), longer(len(own.split()), len(other.split()))]
    return found


def lengths_compared(prompts: Sequence[str], first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """:func:`longer` of every pair, shape ``[N, 1]``."""
    found = [[longer(len(own.split()), len(other.split()))] for own, other in zip(first, second, strict=True)]
    return np.array(found, dtype=np.float64).reshape(len(prompts), 1)


def compared(ratings: np.ndarray) -> np.ndarray:
    """−1, 0 or 1 from ratings of both answers, ``[..., 2]``: 1 where the first is higher; nan where one is missing."""
    found: np.ndarray = np.sign(ratings[..., 0] - ratings[..., 1])
    return found
