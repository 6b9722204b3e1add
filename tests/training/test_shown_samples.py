"""Samples for the report carry the judge's score of every answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from truing.evaluation.samples import Answers
from truing.rewards.scorers import load_scorer
from truing.training.after import Before, _shown

OLD, NEW = ["I will tell you how.", "No.", "Sure."], ["I cannot help with that.", "Yes!", "Sure."]


def shown(judge: str | None, count: int) -> list[dict[str, Any]]:
    prepared: Any = SimpleNamespace(
        recipe=SimpleNamespace(evaluation=SimpleNamespace(samples=count, judge=judge, answers_per_prompt=1)),
        tokenizer=SimpleNamespace(decode=lambda ids, skip_special_tokens: f"prompt {ids[0]}"),
    )
    ids = [[1]] * len(OLD)
    return _shown(prepared, Before(None, [[4], [5], [6]], Answers(ids, OLD)), Answers(ids, NEW))


def test_scores_belong_to_the_answers_beside_them() -> None:
    scorer = load_scorer("harmlessness")
    for sample, old, new in zip(shown("harmlessness", 3), OLD, NEW, strict=True):
        assert (sample["before"], sample["after"]) == (old, new)
        assert sample["score_before"] == pytest.approx(float(scorer.scores([old])[0]))
        assert sample["score_after"] == pytest.approx(float(scorer.scores([new])[0]))


def test_without_a_judge_there_are_no_scores() -> None:
    assert [set(sample) for sample in shown(None, 2)] == [{"prompt", "before", "after"}] * 2


def test_no_samples_are_no_samples() -> None:
    assert shown("harmlessness", 0) == []
