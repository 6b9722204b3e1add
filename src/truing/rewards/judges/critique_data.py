"""Critiques of both answers of pairs, written by a model, or expanded from notes by people.

MM-RLHF (2502.10391, section 4) expands the annotators' reasons, which are short, by a strong model, and trains on the
result. Where a row has no note, the model writes the critique itself, without hearing which answer people chose.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.chat import ChatModel
from truing.data.critiques import COLUMNS
from truing.data.records import Records
from truing.data.rows import Row
from truing.errors import DataError
from truing.rewards.evaluation.mistakes import as_text
from truing.rewards.functions.prompt_text import transcript
from truing.rewards.judges.endpoint import Messages
from truing.writing import write_text

PART = 32
"""Questions that are asked before progress is told."""

_ASKED = """Question:
{question}

Answer:
{answer}

Write a short critique of this answer: what is right in it, what is wrong, and what is missing. Write the critique \
alone."""
_EXPANDED = """Question:
{question}

Answer:
{answer}

A reader noted about this answer:
{note}

Write this out as a short critique of the answer that says what the reader means, with the places in the answer that \
show it, and adds no judgement of its own. Write the critique alone."""


@dataclass(frozen=True)
class Critiqued:
    """What became of pairs.

    Attributes:
        path: of the pairs with critiques.
        pairs: that were written.
        expanded: critiques that were expanded from notes.
        invented: critiques that were written without a note.
        without: pairs that were left out, because the model said nothing about one of their answers.
    """

    path: Path
    pairs: int
    expanded: int
    invented: int
    without: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**vars(self), "path": str(self.path)}

    def sentences(self) -> list[str]:
        """What a person should know."""
        told = [
            f"{self.pairs:,} pairs with critiques: {self.path}; {self.expanded:,} expanded from notes, "
            f"{self.invented:,} written without."
        ]
        if self.without:
            told.append(f"{self.without:,} pairs are left out: the model said nothing about one of their answers.")
        return [*told, "`truing reward` with the objective critique-and-score learns from them."]


def questions(records: Records) -> list[Messages]:
    """What is asked about each chosen and each rejected answer, in turn.

    Raises:
        DataError: if the records are no pairs.
    """
    if records.kind != "pairs":
        raise DataError(f"critiques are of pairs, and these are {records.kind} data", where=records.source)
    return [_question(row, side) for row in records for side in ("chosen", "rejected")]


def _question(row: Row, side: str) -> Messages:
    note = _note(row, side)
    wording = _EXPANDED if note else _ASKED
    text = wording.format(question=transcript(row["prompt"]).strip(), answer=as_text(row[side]).strip(), note=note)
    return [{"role": "user", "content": text}]


def _note(row: Row, side: str) -> str:
    return (row.get(f"critique_{side}") or "").strip()


def write_critiques(
    records: Records,
    path: Path,
    model: ChatModel,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Critiqued:
    """Have a model write or expand critiques of both answers, and write the pairs with them.

    Args:
        records: pairs; ``critique_chosen`` and ``critique_rejected`` are notes that are expanded.
        path: of the file that is written.
        model: is asked about each answer by itself.
        progress: told how many answers are done, of how many.

    Raises:
        DataError: if the records are no pairs, or the model said nothing of use about any.
    """
    asked = questions(records)
    said: list[str | None] = []
    for start in range(0, len(asked), PART):
        said += model(asked[start : start + PART], lambda reply: reply.strip() or None)
        if progress:
            progress(len(said), len(asked))
    rows, expanded, without = [], 0, 0
    for row, chosen, rejected in zip(records, said[0::2], said[1::2], strict=True):
        if chosen is None or rejected is None:
            without += 1
            continue
        expanded += sum(bool(_note(row, side)) for side in ("chosen", "rejected"))
        kept = {name: value for name, value in row.items() if value is not None}
        rows.append({**kept, **dict(zip(COLUMNS, (chosen, rejected), strict=True))})
    if not rows:
        raise DataError("the model said nothing about any pair", where=model.name)
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return Critiqued(path, len(rows), expanded, 2 * len(rows) - expanded, without)
