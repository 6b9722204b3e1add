"""From questions to files of demonstrations and pairs about passages that conflict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from truing.chat.model import ChatModel
from truing.data.questions.grading import Grade, outcome
from truing.data.questions.question import Question
from truing.data.synthesis.conflicts.contexts import Context, Mixing, contexts
from truing.data.synthesis.conflicts.rows import conflict_rows
from truing.data.synthesis.conflicts.strategies import attempts, strategy_map, strategy_table
from truing.data.synthesis.files import write_rows
from truing.errors import DataError
from truing.statistics import Estimate
from truing.writing import write_json


@dataclass(frozen=True)
class Conflicts:
    """What was written.

    Attributes:
        path: folder with sft.jsonl, pairs.jsonl and strategies.json.
        contexts: by kind.
        demonstrations, pairs: rows.
        without: contexts in which no strategy was right.
        strategies: the best one of every cell, with its rate.
    """

    path: Path
    contexts: dict[str, int]
    demonstrations: int
    pairs: int
    without: int
    strategies: dict[str, tuple[str, Estimate]]

    def as_dict(self) -> dict[str, Any]:
        best = {cell: {"strategy": name, **asdict(found)} for cell, (name, found) in self.strategies.items()}
        return {**vars(self), "path": str(self.path), "strategies": best}

    def sentences(self) -> list[str]:
        """For people."""
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.contexts.items())
        return [
            f"{self.path}: {self.demonstrations:,} demonstrations and {self.pairs:,} pairs of "
            f"{sum(self.contexts.values()):,} contexts ({kinds}); {self.without:,} without a right reply",
            *(
                f"  {cell}: {name} is right in {100 * found.value:.0f} % "
                f"(95 % interval {100 * found.low:.0f} to {100 * found.high:.0f})"
                for cell, (name, found) in self.strategies.items()
            ),
        ]


def remembered(questions: Sequence[Question], student: ChatModel) -> list[str]:
    """The student's closed-book answers; empty where it says nothing."""
    asked = [[{"role": "user", "content": question.text}] for question in questions]
    return [reply or "" for reply in student(asked, str.strip)]


def made_contexts(
    questions: Sequence[Question], student: ChatModel, mixing: Mixing, grade: Grade = outcome
) -> list[Context]:
    """Contexts of all questions.

    Raises:
        DataError: if there are no questions, or none has a wrong answer where some are to be planted.
    """
    if not any(question.wrong or not any(mixing.ratios) for question in questions):
        raise DataError(
            "no question has a wrong answer that could be planted",
            where="QUESTIONS",
            allowed="questions with a column wrong, or TruthfulQA",
        )
    memories = remembered(questions, student)
    return [
        context
        for question, memory in zip(questions, memories, strict=True)
        for context in contexts(question, memory, mixing, grade)
    ]


def write_conflicts(
    questions: Sequence[Question],
    output: Path,
    student: ChatModel,
    teacher: ChatModel,
    mixing: Mixing,
    *,
    variant: str = "balanced",
    grade: Grade = outcome,
    progress: Callable[[int, int], None] | None = None,
) -> Conflicts:
    """Write ``sft.jsonl``, ``pairs.jsonl`` where there are any, and ``strategies.json``.

    Args:
        questions: with answers and wrong answers.
        output: folder.
        student: the model that is to be trained, for its memory.
        teacher: who answers under the strategies; may be the same.
        mixing: which contexts are made.
        variant: see :func:`~truing.data.synthesis.conflicts.rows.conflict_rows`.
        grade: tells right answers; one that asks a judge is the AI feedback of the paper.
        progress: called with (replies of the teacher, replies in all).

    Raises:
        DataError: if no context can be made, or the teacher is right in none.
    """
    made = made_contexts(questions, student, mixing, grade)
    tried = attempts(made, teacher, progress, grade)
    table = strategy_table(tried)
    best = strategy_map(table)
    rows = conflict_rows(tried, best, variant, grade)
    if not rows.demonstrations:
        raise DataError(
            f"the teacher is right in none of {len(made):,} contexts",
            where="--teacher",
            fix="take a stronger teacher",
        )
    write_rows(output / "sft.jsonl", rows.demonstrations)
    if rows.pairs:
        write_rows(output / "pairs.jsonl", rows.pairs)
    chosen = {
        f"{cell[0]}, {100 * cell[1]:.0f} % poisoned": (name, table[cell][name]) for cell, name in best.items()
    }
    write_json(
        output / "strategies.json",
        {
            f"{cell[0]}/{cell[1]:g}": {name: asdict(one) for name, one in rates.items()}
            for cell, rates in table.items()
        },
    )
    kinds = Counter(context.kind for context in made)
    return Conflicts(
        output, dict(sorted(kinds.items())), len(rows.demonstrations), len(rows.pairs), rows.without, chosen
    )
