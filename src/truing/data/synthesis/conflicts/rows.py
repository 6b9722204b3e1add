"""Demonstrations and pairs of weighing passages against memory (2404.00486).

The entry of the paper rests on its abstract; strategies, types and the way to decline are a reconstruction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from truing.data.questions.confidence import DECLINE
from truing.data.questions.grading import Grade, outcome
from truing.data.rows import Row, assistant, user
from truing.data.synthesis.conflicts.contexts import Context, Kind, shown
from truing.data.synthesis.conflicts.strategies import Attempt, Cell
from truing.data.synthesis.method import synthesis
from truing.errors import check_name
from truing.registry import Paper

VARIANTS: dict[str, frozenset[Kind]] = {
    "balanced": frozenset({"agreeing", "edit", "inter-context", "poison", "unknown"}),
    "poison-only": frozenset({"inter-context", "poison", "unknown"}),
    "clean": frozenset({"agreeing", "edit"}),
}
"""Kinds of contexts that rows are made of, by the variant's name."""


@dataclass(frozen=True)
class Rows:
    """What contexts gave.

    Attributes:
        demonstrations: contexts with the best right reply.
        pairs: the same against the answer of a chameleon, or of a stubborn reader.
        without: contexts in which no strategy was right.
    """

    demonstrations: list[Row]
    pairs: list[Row]
    without: int


def _chameleon(context: Context, grade: Grade) -> str | None:
    return context.poisoned[0] if context.poisoned else None


def _stubborn(context: Context, grade: Grade) -> str | None:
    # Who says that he does not know holds on to nothing.
    held = context.kind == "edit" and grade(context.question, context.memory) == "wrong"
    return context.memory.strip() or None if held else None


REJECTED: dict[str, Callable[[Context, Grade], str | None]] = {"chameleon": _chameleon, "stubborn": _stubborn}
"""Answers that are rejected, by name: a poisoned claim taken over; a wrong memory held against right passages."""


def _reply(tried: Sequence[Attempt], best: str) -> str | None:
    """The best strategy's reply if it is right, else the first right one; a plain refusal where none can be right."""
    right = {one.strategy: one.reply for one in tried if one.right}
    if right:
        return right.get(best, next(iter(right.values())))
    return f"Answer: {DECLINE}" if tried[0].context.kind == "unknown" else None


@synthesis(
    name="conflicting-contexts",
    slug="dialectical",
    paper=Paper(
        "Dialectical Alignment: Resolving the Tension of 3H and Security Threats of LLMs", 2024, "2404.00486"
    ),
    aliases=("dialectical",),
    summary="Writes contexts with right and poisoned passages, reasoned answers, and the mistakes of both sides as "
    "rejected.",
    formula="strategy(type, ρ) = argmax_s P(right | s, type, ρ);  y_w = a right reply of it;  y_l = a poisoned claim, "
    "or the memory where the passages are right",
    legend=(
        "ρ: share of the passages that is poisoned, 0 to 1",
        "type: passages against each other, all of them against the student's memory, or no conflict",
        "s: direct, context, memory or weigh, as prompts for a teacher; rows show none of them",
        "chameleon, stubborn: rejected answers that take over a poisoned claim, or hold a wrong memory against right "
        "passages",
    ),
    use_when="A model reads passages that somebody else can write, and should still take true news from them.",
    avoid_when="Only poisoned contexts are at hand: they teach to distrust every context (poison-only).",
    requires=("questions with answers and wrong answers", "the student's closed-book answers", "a teacher"),
    cost="one closed-book answer for each question, and four answers of the teacher for each context",
)
def conflict_rows(
    tried: Sequence[Attempt], best: Mapping[Cell, str], variant: str = "balanced", grade: Grade = outcome
) -> Rows:
    """Rows of contexts that a teacher answered under all strategies.

    In the balanced variant there are as many pairs with a stubborn answer as with a chameleon's, where both kinds
    occur: the first of each.

    Args:
        tried: attempts, any order.
        best: strategy of each cell.
        variant: a name of :data:`VARIANTS`.
        grade: tells whether a memory is wrong, or says that it does not know, which is not stubborn.

    Raises:
        DataError: if there is no such variant.
    """
    check_name("variant", variant, VARIANTS, "--variant")
    of: dict[Context, list[Attempt]] = {}
    for one in tried:
        if one.context.kind in VARIANTS[variant]:
            of.setdefault(one.context, []).append(one)
    demonstrations, pairs, without = [], [], 0
    for number, (context, own) in enumerate(of.items()):
        reply = _reply(own, best[context.cell])
        if reply is None:
            without += 1
            continue
        common = {"prompt": user(shown(context)), "source": context.kind}
        key = f"{context.question.id}/{context.ratio:g}/{number}"
        demonstrations.append({"id": key, **common, "completion": assistant(reply)})
        for name, make in REJECTED.items():
            answer = make(context, grade)
            if answer is not None:
                rejected = assistant(f"Answer: {answer}")
                pairs.append({"id": f"{key}/{name}", **common, "chosen": assistant(reply), "rejected": rejected})
    return Rows(demonstrations, _evened(pairs) if variant == "balanced" else pairs, without)


def _evened(pairs: Sequence[Row]) -> list[Row]:
    """As many edits as other pairs, where there are both."""
    counts = Counter(row["source"] == "edit" for row in pairs)
    most = min(counts.values()) if len(counts) == 2 else len(pairs)
    so_far: Counter[bool] = Counter()
    found = []
    for row in pairs:
        edit = row["source"] == "edit"
        so_far[edit] += 1
        if so_far[edit] <= most:
            found.append(row)
    return found
