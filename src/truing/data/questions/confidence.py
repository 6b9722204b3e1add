"""How models say that they do not know, and how sure they are; and how to take that off an answer again."""

from __future__ import annotations

import re

DECLINE = "I'm sorry, but I don't know the answer to this question."
"""What a model is taught to say in place of an answer."""

HEDGES = (
    "I'm far from sure, but ",
    "I have my doubts, but ",
    "I'm undecided, but ",
    "I'm rather confident that ",
    "I'm certain that ",
)
"""One for each fifth of expected accuracy, the lowest first."""

IDK_PHRASES = (
    "i apologize",
    "i apologise",
    "i don't know",
    "i do not know",
    "not aware of",
    "i'm not familiar with",
    "i am not familiar with",
    "i'm not able to",
    "i am not able to",
    "i'm unable to",
    "i am unable to",
    "i have no idea",
    "i cannot answer",
    "i can't answer",
    "not make sense",
    "n't make sense",
)
"""In lower case. The authors' list, and a few of the same kind."""

_NUMBER = re.compile(r"^\s*I'm (?:only )?about \d{1,3} ?% sure of my answer[:.,]?\s*", re.IGNORECASE)


def in_percent(share: float) -> str:
    """The confidence that stands in front of an answer, as a number."""
    return f"I'm {'only ' if share <= 0.5 else ''}about {100 * share:.0f} % sure of my answer: "


def declines(question: str, response: str) -> bool:
    """Whether a response says that it does not know: by a phrase that the question does not have itself."""
    asked, said = (text.casefold().replace("’", "'") for text in (question, response))
    return any(phrase in said and phrase not in asked for phrase in IDK_PHRASES)


def without_confidence(response: str) -> str:
    """The response without a confidence in front of it; a hedged answer is an answer."""
    for hedge in HEDGES:
        if response.lstrip().casefold().startswith(hedge.casefold()):
            return response.lstrip()[len(hedge) :]
    return _NUMBER.sub("", response)
