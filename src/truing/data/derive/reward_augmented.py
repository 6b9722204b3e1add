"""Reward-augmented pairs (2410.08067): every pair twice, under the score of either answer as the goal.

The answer whose score is nearer to the goal is the chosen one. A good answer that lost is thereby learned as good for
its score, instead of being unlearned; at inference the highest score is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from truing.data.derive.base import RELABELLINGS, Relabelling, with_instruction
from truing.data.rows import Row


def ask_for(prompt: Any, goal: float) -> Any:
    """The prompt with the goal stated; one decimal, so that the same goal is always the same text."""
    return with_instruction(prompt, f"(Write an answer of quality {goal:.1f}.)")


def reward_augmented(row: Row) -> Iterator[Row]:
    """Both relabelled pairs of one row; none where the scores are equal and so say nothing."""
    scores = {"chosen": float(row["score_chosen"]), "rejected": float(row["score_rejected"])}
    if scores["chosen"] == scores["rejected"]:
        return
    kept = {
        name: value for name, value in row.items() if name not in ("id", "prompt", "chosen", "rejected", "margin")
    }
    for number, (near, far) in enumerate((("chosen", "rejected"), ("rejected", "chosen")), start=1):
        yield {
            **kept,
            "id": f"{row['id']}/{number}",
            "prompt": ask_for(row["prompt"], scores[near]),
            "chosen": row[near],
            "rejected": row[far],
            # Of the reward −(goal − score)², which the chosen answer meets exactly.
            "margin": (scores["chosen"] - scores["rejected"]) ** 2,
        }


RELABELLINGS.add(
    Relabelling(
        "reward-augmented",
        "every pair under the score of either answer as the goal; equal scores are left out",
        reward_augmented,
        needs=("score_chosen", "score_rejected"),
    )
)
