"""Lengths of prompts and answers, in characters, words and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from truing.data.checks.base import Subject, count_tokens
from truing.data.records import ANSWER_COLUMNS
from truing.data.token_report import Quantiles


@dataclass(frozen=True)
class LengthRow:
    """Lengths of one part of the rows.

    Args:
        part: prompt, chosen, rejected, completion or completions.
        unit: characters, words or tokens.
        quantiles: of the lengths.
    """

    part: str
    unit: str
    quantiles: Quantiles

    def as_dict(self) -> dict[str, Any]:
        return {"part": self.part, "unit": self.unit, **asdict(self.quantiles)}


def lengths(subject: Subject) -> tuple[LengthRow, ...]:
    """A row for each part and unit; tokens only with a tokenizer, and without special tokens."""
    parts: dict[str, Sequence[str]] = {"prompt": subject.prompts}
    names = ANSWER_COLUMNS[subject.records.kind]
    if names == ("completions",):
        parts["completions"] = [answer for found in subject.answers for answer in found]
    else:
        for position, name in enumerate(names):
            parts[name] = [found[position] for found in subject.answers]
    rows = []
    for part, texts in parts.items():
        rows.append(LengthRow(part, "characters", Quantiles.of([len(text) for text in texts])))
        rows.append(LengthRow(part, "words", Quantiles.of([len(text.split()) for text in texts])))
        if subject.tokenizer is not None:
            rows.append(LengthRow(part, "tokens", Quantiles.of(_tokens(subject, part))))
    return tuple(rows)


def _tokens(subject: Subject, part: str) -> list[int]:
    names = ANSWER_COLUMNS[subject.records.kind]
    if part == "prompt":
        return count_tokens(subject.tokenizer, subject.prompts)
    if part == "completions":
        return [length for found in subject.lengths for length in found]
    return [found[names.index(part)] for found in subject.lengths]
