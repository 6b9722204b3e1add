"""A writer's preferences: what it writes at quality levels 1 to 5, of which the higher is taken as preferred."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from truing.audit.judges.votes import Votes
from truing.chat.model import ChatModel
from truing.data.readers import read_rows
from truing.data.rows import RowError, as_number
from truing.data.rows import text as text_of
from truing.errors import DataError
from truing.writing import write_text

LEVELS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Written:
    """Answers at levels of quality.

    Attributes:
        prompts, levels, texts: of each answer.
    """

    prompts: tuple[str, ...]
    levels: tuple[int, ...]
    texts: tuple[str, ...]

    def votes(self, writer: str) -> Votes:
        """All pairs of answers of different levels to one prompt, as preferences for the higher level."""
        one, other = level_pairs(np.array(self.levels), self.prompts)
        return Votes(
            ids=tuple(f"{writer}/{number}" for number in range(len(one))),
            prompts=tuple(self.prompts[place] for place in one),
            first=tuple(self.texts[place] for place in one),
            second=tuple(self.texts[place] for place in other),
            judges=(writer,) * len(one),
            scenarios=("",) * len(one),
            signs=np.ones(len(one)),
        )


def level_pairs(levels: np.ndarray, prompts: Sequence[str] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the better and of the worse answer of every pair to one prompt whose levels differ."""
    of = np.asarray(prompts)
    better, worse = [], []
    for prompt in dict.fromkeys(map(str, of)):
        rows = np.flatnonzero(of == prompt)
        above = levels[rows][:, None] > levels[rows]
        one, other = np.nonzero(above)
        better.append(rows[one])
        worse.append(rows[other])
    if not better:
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    return np.concatenate(better), np.concatenate(worse)


def write_at_levels(chat: ChatModel, prompts: Sequence[str]) -> Written:
    """Ask a model for an answer to each prompt at every level; empty replies are left out.

    Raises:
        RunError: if the model does not answer.
    """
    asked = [(prompt, level) for prompt in dict.fromkeys(prompts) for level in LEVELS]
    questions = [
        [
            {
                "role": "system",
                "content": f"Answer the user. Your answer is to be of quality {level} on a scale from 1, which readers "
                "would find very poor, to 5, which they would find excellent. Write the answer and nothing else.",
            },
            {"role": "user", "content": prompt},
        ]
        for prompt, level in asked
    ]
    said = chat(questions, lambda reply: reply.strip() or None)
    kept = [(*own, text) for own, text in zip(asked, said, strict=True) if text is not None]
    return Written(tuple(row[0] for row in kept), tuple(row[1] for row in kept), tuple(row[2] for row in kept))


def read_written(path: Path) -> Written:
    """Answers at levels out of a file: rows with ``prompt``, ``level`` (1 to 5) and ``text``.

    Raises:
        DataError: on a row that lacks one of them, or a level that is none; names the row.
    """
    prompts, levels, texts = [], [], []
    for number, row in read_rows(path):
        try:
            level = as_number(row.get("level"), "level")
            if level not in LEVELS:
                raise RowError(f"`level` is {level:g}", "write a level from 1 to 5")
            prompts.append(text_of(row, "prompt"))
            texts.append(text_of(row, "text"))
            levels.append(int(level))
        except RowError as error:
            raise DataError(
                error.reason, where=f"{path}:{number}", allowed="prompt, level from 1 to 5, text", fix=error.fix
            ) from None
    return Written(tuple(prompts), tuple(levels), tuple(texts))


def save_written(path: Path, written: Written) -> None:
    """Write answers as :func:`read_written` reads them, as JSON lines.

    Raises:
        RunError: if the file cannot be written.
    """
    rows = [
        json.dumps({"prompt": prompt, "level": level, "text": text}, ensure_ascii=False)
        for prompt, level, text in zip(written.prompts, written.levels, written.texts, strict=True)
    ]
    write_text(path, "\n".join(rows) + "\n")
