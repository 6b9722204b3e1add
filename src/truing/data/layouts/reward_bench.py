"""Benchmarks of reward models: RewardBench (2403.13787) and RAG-RewardBench (2412.13746).

Prompts and answers are turns of a conversation, as in the benchmarks' own code; `subset` becomes `source`. In
RAG-RewardBench `prompt` holds the retrieved passages, and the other answer is called `reject`.
"""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.layouts.shared import holds_answers
from truing.data.layouts.verdicts import verdict
from truing.data.rows import Converted, Row, text


def _reward_bench(row: Row) -> Iterator[Converted]:
    extra = {"id": str(row["id"])} if row.get("id") is not None else {}
    answers = text(row, "chosen"), text(row, "rejected")
    yield verdict(text(row, "prompt"), *answers, first_wins=True, source=text(row, "subset"), **extra)


def _rag(row: Row) -> Iterator[Converted]:
    passages, question = text(row, "prompt").strip(), text(row, "question").strip()
    # Some passages come with their instruction and question; asking twice would be another task.
    asked = passages if question in passages else f"{passages}\n\n{question}"
    answers = text(row, "chosen"), text(row, "reject")
    yield verdict(asked, *answers, first_wins=True, source=text(row, "subset"))


LAYOUTS.add(
    Layout(
        name="reward-bench",
        summary="a prompt, the right answer and a wrong one, and a subset (RewardBench)",
        kind="pairs",
        needs=("prompt", "chosen", "rejected", "subset"),
        uses=("id", "chosen_model", "rejected_model"),
        fits=holds_answers("chosen", "rejected"),
        convert=_reward_bench,
        example={"prompt": "2 + 2?", "chosen": "4", "rejected": "5", "subset": "math-prm", "id": 1},
    )
)
LAYOUTS.add(
    Layout(
        name="rag-rewardbench",
        summary="passages, a question, the better answer and the other one, and a subset (RAG-RewardBench)",
        kind="pairs",
        needs=("prompt", "question", "chosen", "reject", "subset"),
        uses=("chosen_model", "reject_model"),
        convert=_rag,
        example={
            "prompt": "Reference [1]: Apples are fruit.",
            "question": "Name a fruit.",
            "chosen": "Apples are fruit [1].",
            "reject": "Stone.",
            "subset": "citation",
        },
    )
)
