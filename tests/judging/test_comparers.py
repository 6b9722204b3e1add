"""Judges of two answers as they stand."""

from __future__ import annotations

import pytest

from tests.judging.judges import PAIRS, Scripted
from truing.errors import DataError
from truing.judging.comparers import LetterOdds, Recorded, TextVerdicts
from truing.judging.presentation import ORDERS, ORDERS_AND_LABELS, SINGLE, Pair, Shown
from truing.judging.protocols import pairwise_judge
from truing.judging.verdict import UNREAD, Opinion
from truing.judging.wording import FORMS, LIKERT, RELATION, SCORES, Wording
from truing.rewards.judges.local import LocalJudge, load_policy

PAIR = Pair("Name a fruit.", "Apple.", "Stone.", reference="Pear.")


@pytest.mark.parametrize(
    ("form", "reply", "first"),
    [
        (RELATION, '{"verdict": "A"}', 1.0),
        (RELATION, '{"verdict": "b", "confidence": 0.8}', 0.2),
        (RELATION, '{"verdict": "tie"}', 0.5),
        (SCORES, '{"score A": 7, "score B": 3}', 1.0),
        (SCORES, '{"score A": 4, "score B": 4}', 0.5),
        (LIKERT, '{"place": 2}', 0.75),
        (LIKERT, '{"place": 5}', 0.0),
    ],
)
def test_forms_by_hand(form, reply, first) -> None:
    found = Wording(form).read(reply, ("A", "B"))
    assert found is not None
    assert found.first == pytest.approx(first)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    "reply",
    [
        "A",
        "",
        '{"verdict": "C"}',
        '{"score A": 7}',
        '{"score A": 11, "score B": 3}',
        '{"place": 2.5}',
        '{"place": true}',
    ],
)
def test_what_says_nothing_of_use_is_not_read(form, reply) -> None:
    assert Wording(form).read(reply, ("A", "B")) is None


def test_ties_and_abstentions_where_they_may_be() -> None:
    assert Wording(RELATION, ties=False).read('{"verdict": "tie"}', ("A", "B")) is None
    assert Wording(RELATION).read('{"verdict": "abstain"}', ("A", "B")) is None
    found = Wording(RELATION, abstention=True).read('{"verdict": "abstain"}', ("A", "B"))
    assert found is not None
    assert found.abstained


def test_labels_decide_who_is_named() -> None:
    judge = TextVerdicts(Scripted(lambda question: '{"verdict": "A"}'))
    (verdict,) = pairwise_judge(judge, [PAIR], presentations=ORDERS_AND_LABELS)
    assert [opinion.first for opinion in verdict.opinions] == [1.0, 1.0, 0.0, 0.0]


def test_unread_replies_are_counted() -> None:
    replies = iter(['{"verdict": "A"}', "I like both."])
    (verdict,) = pairwise_judge(TextVerdicts(Scripted(lambda question: next(replies))), [PAIR])
    assert (verdict.winner, verdict.unread) == ("abstain", 1)


def test_the_question_shows_reference_parts_and_labels() -> None:
    shown = ORDERS[1].show(PAIR, (("App", "St"), ("le.", "one.")))
    system, user = (message["content"] for message in Wording(SCORES).question(shown))
    assert "reference answer is given" in system
    assert '"score A"' in system
    assert [line for line in user.splitlines() if line.startswith("<<< answer")] == [
        "<<< answer A, part 1 >>>",
        "<<< answer B, part 1 >>>",
        "<<< answer A, part 2 >>>",
        "<<< answer B, part 2 >>>",
    ]
    assert user.index("St") < user.index("App")
    assert "Pear." in user


def test_odds_of_letters_are_those_of_the_judge_of_pairs() -> None:
    """Without parts, reference or other labels it is the question that model-judge asks."""
    policy = load_policy("truing/tiny")
    odds = LocalJudge(policy).orders(["Good?"], ["Yes, very."], ["No."])
    (verdict,) = pairwise_judge(LetterOdds(policy), [Pair("Good?", "Yes, very.", "No.")])
    assert [opinion.first for opinion in verdict.opinions] == pytest.approx(
        odds.sigmoid().flatten().tolist(), abs=1e-6
    )


def test_all_verdicts_of_a_pair_count() -> None:
    """Three verdicts on one pair: one after the other, twice over for six; two questions would leave one out."""
    judge = Recorded.of([PAIRS[0]] * 3, [Opinion(1.0), Opinion(0.0), Opinion(0.5)], "file")
    shown = SINGLE[0].show(PAIRS[0])
    assert [said.first for said in judge([shown] * 3)] == [1.0, 0.0, 0.5]
    assert [said.first for said in judge([shown] * 6)] == [1.0, 0.0, 0.5] * 2
    with pytest.raises(DataError, match="3 verdicts are recorded of a pair, which is shown 2 times"):
        judge([shown] * 2)


def test_recorded_verdicts_stand_in_for_a_judge() -> None:
    said = [Opinion(1.0), UNREAD, Opinion(0.5)]
    judge = Recorded.of(PAIRS, said, "file")
    assert [v.winner for v in pairwise_judge(judge, PAIRS, presentations=SINGLE)] == ["A", "abstain", "tie"]
    with pytest.raises(DataError, match="no verdict is recorded of this pair in this order"):
        pairwise_judge(judge, PAIRS)
    assert [v.winner for v in pairwise_judge(Recorded.of(PAIRS, said, both=True), PAIRS)] == [
        "A",
        "abstain",
        "tie",
    ]
    with pytest.raises(DataError, match="no verdict is recorded of this pair\n"):
        judge([Shown("q9", "x", "y")])
