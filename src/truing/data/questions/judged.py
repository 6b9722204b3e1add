"""A model that is asked where words do not tell: whether a response says the same as an accepted answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from truing.chat.model import ChatModel
from truing.data.questions.confidence import without_confidence
from truing.data.questions.grading import Grade, Outcome, holds, outcome
from truing.data.questions.question import Question

_QUESTION = """Question: {question}
Accepted answers: {answers}
Response: {response}

How sure are you that the response gives an accepted answer, in these words or in others? Reply with a number from 0
to 1."""
_NUMBER = re.compile(r"(?<![\d.])(?:0?\.\d+|[01](?:\.\d+)?)(?![\d.]*\d)")
_SCALE = re.compile(
    r"\b0(?:\.0)?\s*(?:to|and|[-–—])\s*1(?:\.0)?(?![.\d]*\d)|(?:\bout\s+of|/)\s*1(?:\.0)?(?![.\d]*\d)"
)
"""What a number is measured on, not the number: 0 to 1, out of 1, /1."""


@dataclass(frozen=True)
class Judged:
    """Grades as :func:`~truing.data.questions.grading.outcome` does, and asks about what would be wrong.

    Responses that decline, that hold an accepted answer, or one that is known to be wrong, are not asked about. A reply
    that cannot be read leaves them wrong.

    Args:
        model: who is asked.
        least: confidence above which a response is right; 0.7 as in 2312.07000.
    """

    model: ChatModel
    least: float = 0.7
    known: dict[tuple[str, str], Outcome] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, question: Question, response: str) -> Outcome:
        found = outcome(question, response)
        answer = without_confidence(response).strip()
        if found != "wrong" or not answer or any(holds(answer, one) for one in question.wrong):
            return found
        key = (question.id, answer)
        if key not in self.known:
            asked = _QUESTION.format(question=question.text, answers="; ".join(question.answers), response=answer)
            (sure,) = self.model([[{"role": "user", "content": asked}]], _read)
            self.known[key] = "correct" if sure is not None and sure > self.least else "wrong"
        return self.known[key]


def _read(reply: str) -> float | None:
    found = _NUMBER.search(_SCALE.sub(" ", reply))
    return float(found[0]) if found else None


def grade_by(judge: str | None, key_from: str | None = None) -> Grade:
    """By words alone, or with a judge.

    Args:
        judge: name of a chat model; ``None`` for none.
        key_from: environment variable with the key of its endpoint.
    """
    if judge is None:
        return outcome
    from truing.chat import chat_model

    return Judged(chat_model(judge, key_from=key_from, max_tokens=8, where="--judge"))
