"""Training data of a critic, and of the reward model that reads it, from pairs with critiques by people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.data.readers import read_rows
from truing.data.rows import Row, RowError, is_messages, text
from truing.errors import DataError
from truing.rewards.judges.critique import critic_prompt, with_critique
from truing.writing import write_text

COLUMNS = ("prompt", "chosen", "rejected", "critique_chosen", "critique_rejected")


@dataclass(frozen=True)
class CritiqueFiles:
    """What was written.

    Attributes:
        critic: demonstrations for `truing align` with the objective sft.
        scores: pairs for `truing reward`.
        pairs: rows that were read.
    """

    critic: Path
    scores: Path
    pairs: int


def write_critique_data(source: Path, folder: Path) -> CritiqueFiles:
    """Write both files.

    Args:
        source: rows of prompt, chosen, rejected, critique_chosen, critique_rejected; prompts may be messages.
        folder: for ``critic.jsonl`` and ``scores.jsonl``.

    Raises:
        DataError: naming the row that lacks something, or if the file cannot be read or has no rows.
    """
    lessons, pairs = [], []
    for number, row in read_rows(source):
        try:
            own, pair = _converted(row)
        except RowError as error:
            raise DataError(error.reason, where=f"{source}:{number}", allowed=", ".join(COLUMNS)) from None
        lessons += own
        pairs.append(pair)
    found = CritiqueFiles(folder / "critic.jsonl", folder / "scores.jsonl", len(pairs))
    for path, rows in ((found.critic, lessons), (found.scores, pairs)):
        write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return found


def _converted(row: Row) -> tuple[list[Row], Row]:
    """Two demonstrations for the critic, and a pair for the score."""
    prompt: Any = row.get("prompt")
    if not isinstance(prompt, str) and not is_messages(prompt):
        raise RowError("`prompt` is neither text nor messages")
    sides = {}
    for side in ("chosen", "rejected"):
        answer, critique = text(row, side), text(row, f"critique_{side}")
        if not critique.strip():
            raise RowError(f"`critique_{side}` is empty")
        sides[side] = (answer, critique.strip())
    talk = not isinstance(prompt, str)

    def said(content: str) -> Any:
        return [{"role": "assistant", "content": content}] if talk else content

    lessons = [
        {"prompt": critic_prompt(prompt, answer), "completion": said(critique)}
        for answer, critique in sides.values()
    ]
    pair = {"prompt": prompt, **{side: said(with_critique(*own)) for side, own in sides.items()}}
    return lessons, pair
