"""Whether a response is right, wrong, or no answer at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Literal, get_args

from truing.data.questions.confidence import declines, without_confidence
from truing.data.questions.question import Question
from truing.rewards.functions.exact_match import Ignored, normalised
from truing.rewards.functions.numeric_answer import NumericAnswer

Outcome = Literal["correct", "wrong", "idk"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
Grade = Callable[[Question, str], Outcome]

_SAME_NUMBER = NumericAnswer(Fraction(0), Fraction(0), "auto")
_IGNORED: frozenset[Ignored] = frozenset(("case", "space", "punctuation", "articles"))


def outcome(question: Question, response: str) -> Outcome:
    """What a response is worth.

    A phrase of not knowing comes before everything else. What is left of the response without a confidence in front is
    right if it has an accepted answer in it, as whole words, up to case, space, punctuation and articles, and no
    answer that is known to be wrong; a number has to be the last one of the response.
    """
    if declines(question.text, response):
        return "idk"
    answer = without_confidence(response)
    if question.numeric:
        return "correct" if any(_SAME_NUMBER(answer, one) for one in question.answers) else "wrong"
    right = [one for one in question.answers if holds(answer, one)]
    # A wrong answer may be part of a right one ("blood", "no blood"), which does not make the right one wrong.
    wrong = [one for one in question.wrong if holds(answer, one) and not any(holds(good, one) for good in right)]
    return "correct" if right and not wrong else "wrong"


def holds(text: str, answer: str) -> bool:
    """Whether a text has an answer in it, as whole words.

    An answer of which nothing is left without punctuation and articles, such as ``(A)``, has to stand there as it is.
    """
    wanted = normalised(answer, _IGNORED)
    if not wanted:
        return re.search(rf"(?<!\w){re.escape(answer.strip())}(?!\w)", text) is not None
    return f" {wanted} " in f" {normalised(text, _IGNORED)} "
