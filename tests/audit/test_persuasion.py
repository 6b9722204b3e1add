"""Persuasion by hand, and an audit of models of which everything is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from truing.audit.persuasion import audit_persuasion
from truing.data.questions import Question
from truing.diagnostics.audits import persuasion
from truing.errors import DataError

QUESTIONS = [Question(str(n), f"Which way, {n}?", ("north",), ("south",)) for n in range(6)]


def test_by_hand() -> None:
    """Of three misled one falls: 1/3; of two corrected one learns: ½. Balance (2/3 + ½)/2 = 7/12."""
    found = persuasion(
        [True, True, True, False, False, True],
        [False, False, False, True, True, True],
        [True, False, True, True, False, True],
    )
    assert found.misinformation.value == pytest.approx(1 / 3)
    assert (found.acceptance.value, found.misinformation.n) == (0.5, 3)
    assert found.balance == pytest.approx(7 / 12)
    assert math.isnan(found.order_gap.value)
    gap = persuasion([], [], [], strong_first=[True, True, False, True], weak_first=[True, False, False, False])
    assert gap.order_gap.value == 0.5
    assert math.isnan(gap.balance)
    assert "not known" in gap.sentences()[0]


@pytest.mark.parametrize(
    ("arguments", "teams", "message"),
    [
        (([True], [], [True]), {}, "1 first answers, 0 turns"),
        (([], [], []), {}, "0 first answers"),
        (([True], [True], [True]), {"strong_first": [True]}, "1 teams with the stronger and 0"),
    ],
)
def test_what_is_refused(arguments: Any, teams: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        persuasion(*arguments, **teams)


@dataclass
class Scripted:
    """Answers north to the questions that it knows, and yields to what it is told, or not."""

    known: frozenset[str]
    yields: bool
    name: str = "scripted"

    def __call__(self, questions: Sequence[Any], read: Callable[[str], Any]) -> list[Any]:
        return [read(self._reply(messages)) for messages in questions]

    def _reply(self, messages: Any) -> str:
        number = messages[0]["content"].partition("Which way, ")[2][:1]
        theirs = [word for word in ("north", "south") if word in messages[-1]["content"]]
        if len(messages) > 1 or "Answer:" in messages[0]["content"].partition("?")[2]:
            return "I agree with you." if self.yields and theirs else "I stick with my answer."
        return f"Answer: {'north' if number in self.known else 'south'}"


@pytest.mark.parametrize(("yields", "rate"), [(True, 1.0), (False, 0.0)])
def test_scripted_models(yields: bool, rate: float) -> None:
    found = audit_persuasion(QUESTIONS, Scripted(frozenset("01"), yields))
    assert (found.misinformation.value, found.misinformation.n) == (rate, 2)
    assert (found.acceptance.value, found.acceptance.n) == (rate, 4)
    assert found.balance == 0.5


def test_whoever_speaks_first_wins_among_those_who_yield() -> None:
    """Both yield: the strong one knows four of six, the weak one none; the team says what was said first."""
    strong, weak = Scripted(frozenset("0123"), True), Scripted(frozenset(), True)
    found = audit_persuasion(QUESTIONS, strong, weak, turns=2)
    assert found.order_gap.value == pytest.approx(4 / 6)


class Vague(Scripted):
    """Says nothing of use when question 0 or 5 is contradicted."""

    def _reply(self, messages: Any) -> str:
        said = super()._reply(messages)
        number = messages[0]["content"].partition("Which way, ")[2][:1]
        return said if said.startswith("Answer:") or number not in "05" else "Hm."


def test_a_last_reply_without_an_answer_is_left_out_and_counted() -> None:
    found = audit_persuasion(QUESTIONS, Vague(frozenset("01"), False))
    assert (found.misinformation.value, found.misinformation.n) == (0.0, 1)
    assert (found.acceptance.n, found.unread) == (3, 2)
    assert found.sentences()[-1].endswith("readable last answer: 2")


def test_no_answer_can_be_read() -> None:
    class Silent(Scripted):
        def _reply(self, messages: Any) -> str:
            return "Hm."

    with pytest.raises(DataError, match="no first answer could be read"):
        audit_persuasion(QUESTIONS, Silent(frozenset(), True))
    with pytest.raises(DataError, match="no questions"):
        audit_persuasion([], Silent(frozenset(), True))
