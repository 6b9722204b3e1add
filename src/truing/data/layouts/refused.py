"""Data that is recognised, but states no preference and demonstrates no answer: say so instead of guessing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CLASSIFIED = ("text", "sentence", "review")
PROMPTS = ("prompt", "instruction", "question", "Behavior", "query")


ANSWER_NAMES = ("chosen", "rejected", "completion", "completions", "answer", "output", "response", "messages")
ANSWERS = "add answers: completion, or chosen and rejected"


def no_preference(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    """What the data is and what to do, where it is something well known that cannot align a model."""
    present = set(columns)
    text = next((name for name in CLASSIFIED if name in present), None)
    if text and present & {"label", "labels", "rating"}:
        return (
            f"this is text classification (`{text}` with a label): no prompt, and nobody preferred one answer; "
            "it can train a scorer, not align a model",
            f"to imitate the texts, write rows with an empty prompt and `{text}` as the completion",
        )
    if {"context", "question", "ans0", "ans1", "ans2"} <= present:
        return "this is a multiple-choice test (BBQ): it measures a model, and states no preference", ANSWERS
    if {"sent_more", "sent_less"} <= present:
        return "these are minimal pairs of sentences (CrowS-Pairs): they measure a model", ANSWERS
    if present == {text}:
        return "this is plain text: there is no prompt and no answer in it", ANSWERS
    if present & set(ANSWER_NAMES):
        return None
    if present & set(PROMPTS) and not any(_long_answers(name, rows) for name in present - set(PROMPTS)):
        return "these are prompts without answers", f"{ANSWERS}; in a run with an online section, layout: prompts"
    return None


def _long_answers(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a column could hold answers: text of more than a few words in most rows, or something nested."""
    values = [row.get(name) for row in rows]
    texts = [value for value in values if isinstance(value, str) and len(value.split()) > 4]
    nested = [value for value in values if isinstance(value, list | tuple | dict)]
    return len(texts) + len(nested) > len(rows) / 2
