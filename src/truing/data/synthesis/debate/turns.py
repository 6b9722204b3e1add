"""One turn of a debate, what was answered until then, and the debate as a debater sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from truing.data.questions.question import Question
from truing.data.rows import Message

Answers = tuple[str | None, str | None]
Extract = Callable[[Question, str, str | None, str | None], str | None]
"""From a question, a turn's text, the speaker's last answer and the partner's to the answer that the turn gives."""

_ANSWER = re.compile(r"\banswer[ \t]*(?:is|:)[ \t]*:?", re.IGNORECASE)
_AGREES = re.compile(r"\b(?:i agree|agreed|you(?:'re| are) right|i stand corrected)\b", re.IGNORECASE)
_DISAGREES = re.compile(
    r"\b(?:i (?:still )?(?:disagree|do(?:n't| not) agree)|i stand by|i stick (?:to|with))\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Turn:
    """What a debater says.

    Attributes:
        text: of the turn; of the root the question.
        speaker: 0 or 1; ``None`` for the root.
        answers: the current answers of both debaters after it; ``None`` of one who has not given any.
    """

    text: str
    speaker: int | None = None
    answers: Answers = (None, None)


def agrees_in_words(text: str) -> bool:
    """Whether a text says that it agrees, and not that it disagrees."""
    text = text.replace("’", "'")
    return _DISAGREES.search(text) is None and _AGREES.search(text) is not None


def stated_answer(question: Question, text: str, own: str | None, partner: str | None) -> str | None:
    """What stands last after "answer:" or "answer is".

    A statement of agreement without an answer of its own copies the partner's; one of disagreement keeps the speaker's.
    """
    text = text.replace("’", "'")
    _, *stated = _ANSWER.split(text)
    if stated:
        return stated[-1].strip().partition("\n")[0].strip().rstrip(".!") or None
    if _DISAGREES.search(text):
        return own
    return partner if agrees_in_words(text) else None


def said(turns: Sequence[Turn], speaker: int, text: str, question: Question, extract: Extract) -> Turn:
    """The turn with which a debate goes on.

    Args:
        turns: from the root on.
        speaker: who speaks.
        text: what is said.
        question: that is debated.
        extract: reads the answer.
    """
    before = turns[-1].answers
    own = extract(question, text, before[speaker], before[1 - speaker])
    return Turn(text, speaker, (own, before[1]) if speaker == 0 else (before[0], own))


def seen_by(speaker: int, turns: Sequence[Turn], persona: str = "") -> list[Message]:
    """A debate as messages: the question and the partner's turns by the user, own turns by the assistant.

    Args:
        speaker: who is about to speak.
        turns: from the root on.
        persona: how to behave; stands before the question. Rows to train on have none.
    """
    first = "\n\n".join(part for part in (persona, turns[0].text) if part)
    messages: list[Message] = [{"role": "user", "content": first}]
    for turn in turns[1:]:
        role = "assistant" if turn.speaker == speaker else "user"
        if messages[-1]["role"] == role:
            # Templates want roles that alternate.
            messages[-1] = {"role": role, "content": f"{messages[-1]['content']}\n\n{turn.text}"}
        else:
            messages.append({"role": role, "content": turn.text})
    return messages
