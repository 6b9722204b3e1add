"""Rationales (2407.14477): why the chosen answer is better, as a text to be written by the policy.

The prompt shows the question and both answers, in an order that is drawn by row, and says which one was preferred.
"""

from __future__ import annotations

from truing.data.derive.base import PARTS, PartMaker, as_answer, as_prompt, said
from truing.data.rows import Row
from truing.data.views import hash_of


def question(row: Row, seed: int) -> str:
    """The request for a rationale of one pair."""
    chosen_first = int(hash_of(f"{seed}/{row['id']}"), 16) % 2 == 0
    first, second = ("chosen", "rejected") if chosen_first else ("rejected", "chosen")
    return (
        f"{said(row['prompt'])}\n\nAnswer A: {said(row[first])}\n\nAnswer B: {said(row[second])}\n\n"
        f"Answer {'A' if chosen_first else 'B'} is preferred. Explain why."
    )


def rationale(row: Row, seed: int) -> Row | None:
    """The rationale as a demonstration; none where the row has none, or an empty one."""
    text = str(row.get("rationale") or "").strip()
    if not text:
        return None
    return {
        "prompt": as_prompt(question(row, seed), row["prompt"]),
        "completion": as_answer(text, row["chosen"]),
    }


PARTS.add(
    PartMaker(
        "rationale",
        "why the chosen answer is better, after the question and both answers",
        "demonstrations",
        rationale,
        needs=("rationale",),
    )
)
