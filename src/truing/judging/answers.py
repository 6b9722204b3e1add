"""Two files of answers to the same prompts, as pairs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.data.readers import read_rows
from truing.data.rows import Row
from truing.errors import DataError
from truing.judging.items import LAYOUTS, Item
from truing.judging.presentation import Pair
from truing.rewards.algebra.context import Prompt, prompt_key

PROMPTS = ("prompt", "instruction", "question", "query")
ANSWERS = ("completion", "output", "answer", "response", "text")


@dataclass(frozen=True)
class Answer:
    """An answer of a file.

    Attributes:
        prompt: text, or messages.
        text: the answer.
        model: who wrote it.
        reference: an answer that is known to be right.
        subset: part of the data that it belongs to.
    """

    prompt: Prompt
    text: str
    model: str
    reference: str | None
    subset: str


@dataclass(frozen=True)
class Matched:
    """Pairs of answers to the same prompts.

    Attributes:
        items: the pairs, in the order of the first file.
        alone: prompts that only one of the files has.
    """

    items: list[Item]
    alone: int


def is_answers(path: Path) -> bool:
    """Whether the first row of a file has a prompt and one answer.

    Raises:
        DataError: if the file cannot be read.
    """
    _, row = next(iter(read_rows(path)))
    return not any(all(name in row for name in layout.needs) for layout in LAYOUTS) and any(
        name in row for name in ANSWERS
    )


def read_answers(path: Path, answer: str | None = None, reference: str | None = None) -> list[Answer]:
    """Answers of a file.

    Args:
        path: JSON, JSONL, CSV, TSV or Parquet, each also gzipped.
        answer: column of the answers; one of :data:`ANSWERS` where there is none of that name.
        reference: column that holds an answer that is known to be right, in either file.

    Raises:
        DataError: if the file cannot be read, or has no prompts or answers.
    """
    found = []
    for number, row in read_rows(path):
        where = f"{path}:{number}"
        prompt = row[_column(row, PROMPTS, None, where)]
        name = _column(row, ANSWERS, answer, where)
        value = row[name]
        last = value[-1] if isinstance(value, list) and value else None
        text = last.get("content") if isinstance(last, dict) else value
        messages = isinstance(prompt, list) and all(isinstance(message, dict) for message in prompt)
        if not isinstance(text, str) or not (isinstance(prompt, str) or messages):
            raise DataError(f"`{name}` or its prompt is no text", where=where, allowed="text, or messages")
        right = None if reference is None or row.get(reference) is None else str(row[reference])
        model = str(row.get("generator") or row.get("model") or path.name.partition(".")[0])
        found.append(Answer(prompt, text, model, right, str(row.get("dataset") or row.get("subset") or "all")))
    return found


def matched(first: list[Answer], second: list[Answer]) -> Matched:
    """Pairs of the first with the second file's answers to the same prompts, the n-th with the n-th where repeated.

    Raises:
        DataError: if no prompt is in both files.
    """
    others: dict[str, list[Answer]] = {}
    for answer in second:
        others.setdefault(prompt_key(answer.prompt), []).append(answer)
    items, lone = [], 0
    for answer in first:
        waiting = others.get(prompt_key(answer.prompt))
        if not waiting:
            lone += 1
            continue
        other = waiting.pop(0)
        pair = Pair(answer.prompt, answer.text, other.text, answer.reference or other.reference)
        items.append(Item(pair, answer.subset, (answer.model, other.model)))
    if not items:
        raise DataError(
            "no prompt is in both files", where="A and B", fix="check that both hold answers to the same prompts"
        )
    return Matched(items, lone + sum(map(len, others.values())))


def _column(row: Row, known: tuple[str, ...], named: str | None, where: str) -> str:
    candidates: tuple[Any, ...] = known if named is None else (named, *known)
    found = next((name for name in candidates if name in row), None)
    if found is None:
        raise DataError(
            f"none of the columns {', '.join(map(str, row))} is one of {', '.join(candidates)}",
            where=where,
            allowed=f"prompts in {', '.join(PROMPTS)}; answers in {', '.join(ANSWERS)}, or the column of --answer",
        )
    return str(found)
