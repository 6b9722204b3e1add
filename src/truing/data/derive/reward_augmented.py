"""Reward-augmented pairs (2410.08067): every pair twice, under the score of either answer as the goal.

The answer whose score is nearer to the goal is the chosen one. A good answer that lost is thereby learned as good for
its score, instead of being unlearned; at inference the highest score is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from truing.data.asking import Asking
from truing.data.derive.base import with_instruction
from truing.data.derive.method import DataMethod, data_method
from truing.data.rows import Row
from truing.registry import Paper

if TYPE_CHECKING:
    from truing.data.records import Records


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


def ask_for_the_best(records: Records) -> Asking:
    """The highest score that the data know as the goal."""
    best = max(max(map(float, records.dataset[name])) for name in ("score_chosen", "score_rejected"))
    return Asking(f"for an answer of quality {best:.1f}, the highest in the data", partial(ask_for, goal=best))


data_method(
    DataMethod(
        name="reward-augmented",
        summary="every pair under the score of either answer as the goal; equal scores are left out",
        rows=reward_augmented,
        needs=("score_chosen", "score_rejected"),
        slug="reward-augmented-pairs",
        paper=Paper("Reward-Augmented Data Enhances Direct Preference Alignment of LLMs", 2024, "2410.08067"),
        formula="(x, y_w, y_l) → (x + s_w, y_w, y_l), (x + s_l, y_l, y_w)",
        legend=(
            "x + s: the prompt with the request for an answer of that score",
            "s_w, s_l: scores of the chosen and of the rejected answer, from the data",
            "y_w, y_l: the chosen and the rejected answer; under a goal the answer with the nearer score is chosen",
        ),
        use_when="Pairs carry scores that compare between prompts, and rejected answers are often good.",
        avoid_when="The goal cannot be stated at inference: a model that was trained so has to be asked for the best.",
        cost="twice the pairs, with some ten tokens more in every prompt",
        aliases=("reward-augmented-pairs",),
        asking=ask_for_the_best,
    )
)
