"""Multiple-choice questions as files hold them: options, and which is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.data.readers import read_rows
from truing.data.rows import Row, RowError, shorten, text
from truing.errors import DataError


@dataclass(frozen=True)
class Options:
    """A question with options.

    Attributes:
        question: text.
        options: two texts or more, without letters or numbers.
        answer: place of the right one, from 0; ``None`` where it is not known.
    """

    question: str
    options: tuple[str, ...]
    answer: int | None


def _plain(row: Row) -> Options:
    options, answer = row.get("options"), row.get("answer")
    if not isinstance(row.get("question"), str) or not (
        isinstance(options, list) and all(isinstance(option, str) for option in options)
    ):
        raise RowError("a row has no question with options", "question, options: [...]")
    return Options(row["question"], tuple(options), answer)


def _bbq(row: Row) -> Options:
    question = f"{text(row, 'context')} {text(row, 'question')}"
    return Options(question, tuple(text(row, f"ans{number}") for number in range(3)), row.get("label"))


def _truthfulqa(row: Row) -> Options:
    wrong = [own.strip() for own in text(row, "Incorrect Answers").split(";") if own.strip()]
    return Options(text(row, "Question"), (text(row, "Best Answer").strip(), *wrong), 0)


LAYOUTS: Mapping[tuple[str, ...], Callable[[Row], Options]] = {
    ("question", "options"): _plain,
    ("context", "question", "ans0", "ans1", "ans2", "label"): _bbq,
    ("Question", "Best Answer", "Incorrect Answers"): _truthfulqa,
}
"""By the columns that they need: rows of one's own, BBQ, TruthfulQA."""


def holds_options(path: Path) -> bool:
    """Whether the first row of a file is a question with options.

    Raises:
        DataError: if the file cannot be read.
    """
    _, row = next(iter(read_rows(path)))
    return any(all(name in row for name in needs) for needs in LAYOUTS)


def options_of(row: Mapping[str, Any], where: str) -> Options:
    """A question of a row.

    Raises:
        DataError: if it is none, or its answer is no option.
    """
    read = next((read for needs, read in LAYOUTS.items() if all(name in row for name in needs)), None)
    if read is None:
        raise DataError(
            "a row has no question with options",
            where=where,
            allowed="; ".join(", ".join(needs) for needs in LAYOUTS) + "; options are a list of texts",
        )
    try:
        found = read(dict(row))
    except RowError as error:
        raise DataError(error.reason, where=where, allowed=error.fix) from None
    if len(found.options) < 2 or not all(option.strip() for option in found.options):
        raise DataError(
            f"options {shorten(list(found.options))}", where=where, allowed="two texts or more, none of them empty"
        )
    answer = found.answer
    if answer is not None and not (type(answer) is int and 0 <= answer < len(found.options)):
        raise DataError(
            f"answer {answer!r}", where=where, allowed=f"0 to {len(found.options) - 1}, the number of an option"
        )
    return found
