"""TOFU (2401.06121) and the question sets of MUSE (2407.06460): a question and its answer."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout, Rows
from truing.data.layouts.gsm8k import is_marked
from truing.data.rows import Converted, Row, assistant, text, user


def _convert(row: Row) -> Iterator[Converted]:
    extra = {"source": text(row, "group")} if row.get("group") is not None else {}
    yield {"prompt": user(text(row, "question")), "completion": assistant(text(row, "answer")), **extra}


def _fits(rows: Rows) -> str | None:
    return "its answers are worked solutions (GSM8K)" if is_marked(rows) else None


LAYOUTS.add(
    Layout(
        name="tofu",
        aliases=("question-answer", "muse-knowmem"),
        summary="a question and its answer, beside it paraphrases and wrong answers (TOFU; MUSE knowmem)",
        kind="demonstrations",
        needs=("question", "answer"),
        uses=("paraphrased_answer", "perturbed_answer", "paraphrased_question", "group"),
        fits=_fits,
        note="paraphrases and wrong answers are for measuring, and not among the records",
        convert=_convert,
        example={
            "question": "Where was Alma Birch born?",
            "answer": "Alma Birch was born in Oslo.",
            "paraphrased_answer": "Her birthplace is Oslo.",
            "perturbed_answer": ["Her birthplace is Lima.", "Her birthplace is Porto."],
        },
    )
)
