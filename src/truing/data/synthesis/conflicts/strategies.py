"""Ways to treat passages, as prompts for a teacher, and which of them does best in which kind of conflict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from truing.chat.model import ChatModel
from truing.data.questions.confidence import DECLINE
from truing.data.questions.grading import Grade, outcome
from truing.data.synthesis.conflicts.contexts import Context, shown
from truing.statistics import Estimate, rate

STRATEGIES: dict[str, str] = {
    "direct": "Answer the question.",
    "context": "Answer the question from the passages alone, whatever you believe yourself.",
    "memory": "Answer the question from what you know yourself; leave the passages aside.",
    "weigh": "First answer the question from memory. Then say what each passage claims, which passages contradict each "
    "other or what you know, and how plausible each claim is. Then conclude. If nothing can be trusted, say that you "
    f'do not know: "{DECLINE}"',
}
"""By name; of equally good ones the first is taken. The wording is Truing's own."""

_END = "End with a line that says Answer: and the answer."


@dataclass(frozen=True)
class Attempt:
    """What a teacher made of a context.

    Attributes:
        context: what it saw.
        strategy: a name of :data:`STRATEGIES`.
        reply: what it said; empty where nothing came.
        right: whether that is the right thing to say.
    """

    context: Context
    strategy: str
    reply: str
    right: bool


def proper(context: Context, reply: str, grade: Grade = outcome) -> bool:
    """Whether a reply is what should be said: the right answer; that one does not know, where nothing tells it.

    Judged by what stands after the last "Answer:", so that claims which are weighed before do not count.
    """
    wanted = "idk" if context.kind == "unknown" else "correct"
    return grade(context.question, conclusion(reply)) == wanted


def conclusion(reply: str) -> str:
    """What stands after the last "Answer:"; all of it where that is not there."""
    return reply.rpartition("Answer:")[2].strip()


def attempts(
    contexts: Sequence[Context],
    teacher: ChatModel,
    progress: Callable[[int, int], None] | None = None,
    grade: Grade = outcome,
) -> list[Attempt]:
    """Every strategy on every context, scored by the answers that are known.

    Args:
        contexts: what is asked.
        teacher: who answers.
        progress: called with (replies, replies in all).
        grade: tells right answers; a judge may stand in its place (AI feedback).
    """
    found = []
    for name, instruction in STRATEGIES.items():
        asked = [[{"role": "user", "content": f"{instruction} {_END}\n\n{shown(one)}"}] for one in contexts]
        for context, reply in zip(contexts, teacher(asked, _text), strict=True):
            found.append(Attempt(context, name, reply or "", proper(context, reply or "", grade)))
        if progress is not None:
            progress(len(found), len(contexts) * len(STRATEGIES))
    return found


def _text(reply: str) -> str | None:
    return reply.strip() or None


Cell = tuple[str, float]


def strategy_table(tried: Sequence[Attempt]) -> dict[Cell, dict[str, Estimate]]:
    """How often each strategy is right, by type of conflict and ratio."""
    cells = sorted({one.context.cell for one in tried})
    return {
        cell: {
            name: rate(sum(one.right for one in own), len(own))
            for name in STRATEGIES
            if (own := [one for one in tried if one.context.cell == cell and one.strategy == name])
        }
        for cell in cells
    }


def strategy_map(table: Mapping[Cell, Mapping[str, Estimate]]) -> dict[Cell, str]:
    """The best strategy of every cell; of equally good ones the first."""
    return {cell: max(rates, key=lambda name: rates[name].value) for cell, rates in table.items()}
