"""Asks a model with and without passages, some of them poisoned (2404.00486)."""

from __future__ import annotations

from collections.abc import Sequence

from truing.chat.model import ChatModel
from truing.data.questions.grading import holds, outcome
from truing.data.questions.question import Question
from truing.data.synthesis.conflicts.contexts import Context, Mixing, shown
from truing.data.synthesis.conflicts.files import made_contexts
from truing.data.synthesis.conflicts.strategies import conclusion
from truing.diagnostics.context_trust import ContextTrust, Taken, context_trust


def taken(context: Context, reply: str) -> Taken:
    """What a reply says, by what stands after its last "Answer:"."""
    answer = conclusion(reply)
    found = outcome(context.question, answer)
    if found == "idk":
        return "declined"
    if any(holds(answer, claim) for claim in context.poisoned):
        return "poisoned"
    return "right" if found == "correct" else "other"


def audit_context_trust(questions: Sequence[Question], model: ChatModel, mixing: Mixing) -> ContextTrust:
    """Plain prompts, without any warning.

    Args:
        questions: with answers and wrong answers.
        model: that is audited; its closed-book answers are its memory.
        mixing: which contexts are made.

    Raises:
        DataError: if no question has a wrong answer.
    """
    made = made_contexts(questions, model, mixing)
    replies = model([[{"role": "user", "content": shown(one)}] for one in made], str.strip)
    return context_trust(
        [one.kind for one in made],
        [taken(one, reply or "") for one, reply in zip(made, replies, strict=True)],
        [one.question.id for one in made],
    )
