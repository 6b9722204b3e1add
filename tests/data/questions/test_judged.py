"""A judge for answers in other words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from truing.data.questions import Question, outcome
from truing.data.questions.confidence import HEDGES
from truing.data.questions.judged import Judged, grade_by

Q = Question("q", "Who wrote Middlemarch?", ("George Eliot",), ("Jane Austen",))


class Says:
    """Replies always the same, and remembers what it was asked."""

    name = "says"

    def __init__(self, reply: str) -> None:
        self.reply = reply
        self.asked: list[str] = []

    def __call__(self, questions: Sequence[Any], read: Callable[[str], Any]) -> list[Any]:
        self.asked += [messages[-1]["content"] for messages in questions]
        return [read(self.reply) for _ in questions]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("0.9", "correct"),
        ("0.7", "wrong"),
        (".8", "correct"),
        ("1", "correct"),
        ("Sure: 0", "wrong"),
        ("yes", "wrong"),
        ("0.2 out of 1", "wrong"),
        ("0.3/1", "wrong"),
        ("0.3 / 1.0", "wrong"),
        ("0.1 (0 to 1)", "wrong"),
        ("0.1 (1 is sure)", "wrong"),
        ("From 0 to 1: 0.9", "correct"),
        ("0-1: 0.9", "correct"),
        ("0.9 out of 1", "correct"),
        ("1/1", "correct"),
    ],
)
def test_above_the_threshold(reply: str, expected: str) -> None:
    assert Judged(Says(reply))(Q, "Mary Ann Evans") == expected


@pytest.mark.parametrize(
    ("response", "expected"),
    [("George Eliot", "correct"), ("I don't know", "idk"), ("Jane Austen", "wrong"), ("", "wrong")],
)
def test_what_needs_no_judge(response: str, expected: str) -> None:
    model = Says("1.0")
    assert Judged(model)(Q, response) == expected
    assert model.asked == []


def test_it_is_asked_once_and_without_the_hedge() -> None:
    model = Says("1.0")
    grade = Judged(model)
    assert [grade(Q, text) for text in ("Mary Ann Evans", HEDGES[0] + "Mary Ann Evans")] == ["correct", "correct"]
    assert len(model.asked) == 1
    assert "Response: Mary Ann Evans" in model.asked[0]
    assert "George Eliot" in model.asked[0]


def test_without_a_judge_words_decide() -> None:
    assert grade_by(None) is outcome
