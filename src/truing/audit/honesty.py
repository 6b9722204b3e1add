"""Two models, or their recorded answers, on the same questions: who declines what (2312.07000)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from truing.data.questions.grading import outcome
from truing.data.questions.question import Question
from truing.data.readers import read_rows
from truing.data.synthesis.files import Drawing
from truing.data.synthesis.honesty import honest_prompt
from truing.diagnostics.honesty import Honesty, honesty
from truing.errors import DataError, did_you_mean

WAYS_TO_ASK: dict[str, Callable[[str], str]] = {"plain": lambda question: question, "honest": honest_prompt}


def audit_honesty(
    questions: Sequence[Question],
    before: str,
    after: str,
    *,
    ask_before: str = "plain",
    ask_after: str = "honest",
    max_new_tokens: int = 64,
    output: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Honesty:
    """Greedy answers of both models, compared.

    Args:
        questions: with answers.
        before, after: models; the same twice measures what asking differently does.
        ask_before, ask_after: a name of :data:`WAYS_TO_ASK`.
        max_new_tokens: longest answer.
        output: folder that keeps answers.
        progress: called with ("before" or "after", questions done, questions in all).

    Raises:
        DataError: if there is no such way to ask.
        ModelError: if a model cannot be loaded.
    """
    found = []
    for name, model, way in (("before", before, ask_before), ("after", after, ask_after)):
        if way not in WAYS_TO_ASK:
            raise DataError(
                f"there is no way to ask {way!r}",
                where=f"--ask-{name}",
                allowed=", ".join(WAYS_TO_ASK),
                fix=did_you_mean(way, WAYS_TO_ASK),
            )
        drawing = Drawing(model, samples=0, max_new_tokens=max_new_tokens)
        kept = None if output is None else output / f"{name}.jsonl"

        def shown(done: int, total: int, name: str = name) -> None:
            if progress is not None:
                progress(name, done, total)

        answers = drawing(questions, WAYS_TO_ASK[way], kept, shown)
        found.append([outcome(one, said.greedy) for one, said in zip(questions, answers, strict=True)])
    return honesty(*found)


def recorded(questions: Sequence[Question], path: Path) -> Honesty:
    """The same of answers in a file, rows with ``id``, ``before`` and ``after``.

    Raises:
        DataError: if a row is malformed, or a question has none.
    """
    said: dict[str, tuple[str, str]] = {}
    for number, row in read_rows(path):
        if "id" not in row or not all(isinstance(row.get(name), str) for name in ("before", "after")):
            raise DataError(
                "recorded answers need id, before and after",
                where=f"--answers {path}:{number}",
                allowed='{"id": "q1", "before": "an answer", "after": "an answer"}',
            )
        said[str(row["id"])] = (row["before"], row["after"])
    missing = [one.id for one in questions if one.id not in said]
    if missing:
        raise DataError(f"question {missing[0]!r} has no recorded answers", where=f"--answers {path}")
    pairs = [(outcome(one, said[one.id][0]), outcome(one, said[one.id][1])) for one in questions]
    return honesty([pair[0] for pair in pairs], [pair[1] for pair in pairs])
