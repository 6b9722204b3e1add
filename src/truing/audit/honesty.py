"""Two models, or their recorded answers, on the same questions: who declines what (2312.07000)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from truing.data.questions.grading import Grade, outcome
from truing.data.questions.question import Question
from truing.data.readers import read_rows
from truing.data.synthesis.files import Drawing
from truing.diagnostics.honesty import Honesty, honesty
from truing.errors import DataError
from truing.prompting.named import way
from truing.prompting.transform import PromptTransform, Shown
from truing.rewards.algebra import Prompt


def asking(way: PromptTransform, where: str) -> Callable[[str], Prompt]:
    """From a question to the prompt in which it is asked.

    Raises:
        DataError: if the way shows a text to be continued.
    """

    def ask(question: str) -> Prompt:
        (shown,) = way([Shown.of(question)])
        if shown.verbatim:
            raise DataError(
                f"{way.name!r} shows a text that is to be continued, and no question",
                where=where,
                allowed="ways that change the question or the system message",
            )
        return shown.prompt

    return ask


def audit_honesty(
    questions: Sequence[Question],
    before: str,
    after: str,
    *,
    ask_before: str = "as-is",
    ask_after: str = "honest-prompt",
    max_new_tokens: int = 64,
    output: Path | None = None,
    grade: Grade = outcome,
    progress: Callable[[str, int, int], None] | None = None,
) -> Honesty:
    """Greedy answers of both models, compared.

    Args:
        questions: with answers.
        before, after: models; the same twice measures what asking differently does.
        ask_before, ask_after: ``as-is``, or a registered way to prompt.
        max_new_tokens: longest answer.
        output: folder that keeps answers.
        grade: tells right from wrong answers.
        progress: called with ("before" or "after", questions done, questions in all).

    Raises:
        TruingError: if there is no such way to ask.
        ModelError: if a model cannot be loaded.
    """
    found = []
    for name, model, way_to_ask in (("before", before, ask_before), ("after", after, ask_after)):
        drawing = Drawing(model, samples=0, max_new_tokens=max_new_tokens)
        kept = None if output is None else output / f"{name}.jsonl"

        def shown(done: int, total: int, name: str = name) -> None:
            if progress is not None:
                progress(name, done, total)

        answers = drawing(questions, asking(way(way_to_ask, f"--ask-{name}"), f"--ask-{name}"), kept, shown)
        found.append([grade(one, said.greedy) for one, said in zip(questions, answers, strict=True)])
    return honesty(*found)


def recorded(questions: Sequence[Question], path: Path, grade: Grade = outcome) -> Honesty:
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
    pairs = [(grade(one, said[one.id][0]), grade(one, said[one.id][1])) for one in questions]
    return honesty([pair[0] for pair in pairs], [pair[1] for pair in pairs])
