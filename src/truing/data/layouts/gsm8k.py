"""GSM8K (2110.14168): worked solutions, and four models' solutions marked right or wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from truing.data.layouts.base import LAYOUTS, Layout, Rows
from truing.data.rows import Converted, Row, RowError, assistant, field, flag, kind_of, text, user

SOLVERS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


def _convert(row: Row) -> Iterator[Converted]:
    yield {"prompt": user(text(row, "question")), "completion": assistant(text(row, "answer"))}


def is_marked(rows: Rows) -> bool:
    """Whether every answer ends with the mark of a worked solution."""
    answers = [row.get("answer") for row in rows]
    return all(isinstance(answer, str) and "\n#### " in answer for answer in answers)


def _fits(rows: Rows) -> str | None:
    return None if is_marked(rows) else "`answer` does not end with '#### ' and a number"


def _solutions(row: Row) -> Iterator[Converted]:
    answers, scores = [], []
    for name in SOLVERS:
        solution = field(row, name)
        if not isinstance(solution, Mapping):
            raise RowError(f"`{name}` is {kind_of(solution)}, not an object with a solution")
        answers.append(assistant(text(solution, "solution")))
        scores.append(float(flag(solution, "is_correct")))
    yield {"prompt": user(text(row, "question")), "completions": answers, "scores": scores}


LAYOUTS.add(
    Layout(
        name="gsm8k",
        summary="a question and a worked answer that ends with '#### number' (GSM8K)",
        kind="demonstrations",
        needs=("question", "answer"),
        fits=_fits,
        convert=_convert,
        example={"question": "2 + 2?", "answer": "2 + 2 = 4\n#### 4"},
    )
)
LAYOUTS.add(
    Layout(
        name="gsm8k-solutions",
        summary="a question and four models' solutions, marked right (score 1) or wrong (0) (GSM8K)",
        kind="ranked",
        needs=("question", *SOLVERS),
        note="scores are 1 (right) and 0 (wrong)",
        convert=_solutions,
        example={"question": "2 + 2?", **{name: {"is_correct": True, "solution": "4"} for name in SOLVERS}},
    )
)
