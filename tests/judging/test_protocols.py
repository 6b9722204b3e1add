"""Votes, grades one by one, references, reflection."""

from __future__ import annotations

import math

import pytest

from tests.judging.judges import PAIRS, Saying, Scripted, longer
from truing.errors import DataError, TruingError
from truing.judging.bench import PROTOCOLS, Bench
from truing.judging.comparers import TextVerdicts
from truing.judging.presentation import SINGLE, Pair
from truing.judging.protocols import (
    JUDGING,
    guided_judge,
    judge_vote,
    pairwise_judge,
    pointwise_judge,
    self_reflection,
)
from truing.judging.reflection import AGAIN, REFLECT

PAIR = Pair("q", "good", "bad", reference="good")


def test_rounds_take_turns() -> None:
    judges = [Saying(longer) for _ in range(4)]
    assert [verdict.winner for verdict in judge_vote(judges, PAIRS)] == ["A", "B", "tie"]
    firsts = [judge.seen[0].first for judge in judges]
    assert firsts[0] != firsts[1]
    assert firsts == firsts[:2] * 2


def test_a_vote_shows_the_same_whichever_answer_is_called_a() -> None:
    own, other = Saying(longer), Saying(longer)
    judge_vote([own], PAIRS)
    judge_vote([other], [Pair(pair.prompt, pair.b, pair.a) for pair in PAIRS])
    assert [(item.first, item.second) for item in own.seen] == [(item.first, item.second) for item in other.seen]


def test_a_seed_changes_who_begins() -> None:
    pairs = [Pair(f"q{number}", "one", "two") for number in range(40)]
    starts = []
    for seed in (0, 1):
        judge = Saying(longer)
        judge_vote([judge], pairs, seed=seed)
        starts.append([item.first for item in judge.seen])
    assert starts[0] != starts[1]
    assert 10 < starts[0].count("one") < 30


def test_every_judge_of_a_panel_sees_both_orders() -> None:
    judges = [Saying(longer, name) for name in "abcd"]
    PROTOCOLS["vote"].run(Bench(judges, rounds=2), [Pair("q", "one", "two")])
    for judge in judges:
        assert {item.first for item in judge.seen} == {"one", "two"}


def test_rounds_of_chat_models_are_neighbours_with_seeds_of_their_own() -> None:
    class Seeded(Scripted):
        def seeded(self, seed: int) -> Seeded:
            return Seeded(self.reply, f"{self.name}{seed}")

    chats = [Seeded(lambda question: "", name) for name in "ab"]
    bench = Bench([Saying(longer)] * 2, chats, rounds=2, seed=3)  # type: ignore[arg-type]
    assert [voter.name for voter in bench.voters()] == ["a3", "a4", "b3", "b4"]


def test_nobody_votes() -> None:
    with pytest.raises(TruingError, match="nobody votes"):
        judge_vote([], PAIRS)


def test_grades_are_asked_once_for_each_answer() -> None:
    def reply(question):
        good = "<<< answer >>>\ngood" in question[1]["content"]
        return f'{{"score": {9 if good else 2}}}'

    chat = Scripted(reply)
    verdicts = pointwise_judge(chat, [PAIR, Pair("q", "bad", "good", reference="good"), Pair("q", "bad", "bad")])
    assert [verdict.winner for verdict in verdicts] == ["A", "B", "tie"]
    assert len(chat.asked) == 3
    assert sum("<<< reference answer >>>" in question[1]["content"] for question in chat.asked) == 2


def test_a_grade_out_of_bounds_is_no_verdict() -> None:
    (verdict,) = pointwise_judge(Scripted(lambda question: '{"score": 11}'), [PAIR])
    assert (verdict.winner, verdict.unread) == ("abstain", 1)


def test_a_reference_is_needed() -> None:
    chat = TextVerdicts(Scripted(lambda question: '{"verdict": "tie"}'))
    with pytest.raises(DataError, match="1 of 2 pairs have no reference answer") as error:
        guided_judge(chat, [PAIR, Pair("q", "x", "y")])
    assert error.value.where == "pair 2"
    assert guided_judge(chat, [PAIR])[0].winner == "tie"


def test_reflection_goes_on_from_what_was_said() -> None:
    def reply(question):
        return '{"verdict": "B"}' if REFLECT in question[-1]["content"] else '{"verdict": "A"}'

    chat = Scripted(reply)
    found = self_reflection(chat, [PAIR], presentations=SINGLE)
    assert [found.first[0].winner, found.reflected[0].winner, found.again[0].winner] == ["A", "B", "A"]
    assert (found.changed.value, found.changed_again.value) == (1.0, 0.0)
    assert [message["role"] for message in chat.asked[1]] == ["system", "user", "assistant", "user"]
    assert chat.asked[1][2]["content"] == '{"verdict": "A"}'
    assert chat.asked[2][3]["content"] == AGAIN


def test_who_could_not_be_read_does_not_reflect() -> None:
    replies = iter(["what?", '{"verdict": "A"}', '{"verdict": "A"}'])
    found = self_reflection(Scripted(lambda question: next(replies)), [PAIR], presentations=SINGLE)
    assert [found.first[0].winner, found.reflected[0].winner] == ["abstain", "abstain"]
    assert math.isnan(found.changed.value)


def test_every_way_to_judge_has_a_card() -> None:
    for way in JUDGING:
        assert way.use_when
        assert way.avoid_when
        assert way.requires
    assert JUDGING.get("swap-judge") is pairwise_judge
