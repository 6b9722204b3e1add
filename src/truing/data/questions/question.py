"""A question and what is known about its answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question with its accepted answers.

    Attributes:
        id: unique in its file.
        text: what is asked.
        answers: accepted answers, the preferred one first; at least one.
        wrong: answers that are known to be wrong.
        passages: texts that come with the question.
        numeric: whether the answer is the number that a text ends with.
    """

    id: str
    text: str
    answers: tuple[str, ...]
    wrong: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()
    numeric: bool = False
