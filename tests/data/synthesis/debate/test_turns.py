"""Turns of a debate: what they answer, and who sees what."""

from __future__ import annotations

import pytest

from truing.data.questions import Question
from truing.data.synthesis.debate.agreeing import as_asked, by_words
from truing.data.synthesis.debate.turns import Turn, said, seen_by, stated_answer

Q = Question("q", "Which way?", ("north",), ("south",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I think so. Answer: north.", "north"),
        ("The answer is south. No: the answer is north", "north"),  # the last one
        ("You're right!", "theirs"),
        ("I agree with you.", "theirs"),
        ("I don't agree with that.", "mine"),
        ("I’m going to say that I stick with what I said.", "mine"),
        ("I agree that it is hard. Answer: east", "east"),
        ("Well, who knows.", None),
        ("Answer:  ", None),
    ],
)
def test_answers(text: str, expected: str | None) -> None:
    assert stated_answer(Q, text, "mine", "theirs") == expected


def test_a_turn_changes_its_speakers_answer_only() -> None:
    start = [Turn("Which way?")]
    first = said(start, 0, "Answer: north", Q, stated_answer)
    second = said([*start, first], 1, "Answer: south", Q, stated_answer)
    third = said([*start, first, second], 0, "I agree.", Q, stated_answer)
    assert [turn.answers for turn in (first, second, third)] == [
        ("north", None),
        ("north", "south"),
        ("south", "south"),
    ]


def test_roles_alternate_from_either_side() -> None:
    turns = [Turn("Q?"), Turn("a1", 0), Turn("b1", 1), Turn("a2", 0)]
    assert seen_by(1, turns) == [
        {"role": "user", "content": "Q?\n\na1"},
        {"role": "assistant", "content": "b1"},
        {"role": "user", "content": "a2"},
    ]
    assert seen_by(0, turns[:3], "Be kind.") == [
        {"role": "user", "content": "Be kind.\n\nQ?"},
        {"role": "assistant", "content": "a1"},
        {"role": "user", "content": "b1"},
    ]


def test_agreement_by_words_and_as_a_model_says() -> None:
    texts = ["I agree.", "I disagree, and I agree with nobody.", "Hm."]
    assert by_words(texts) == [1.0, 0.0, 0.0]

    class Model:
        name = "model"

        def __call__(self, questions, read):  # type: ignore[no-untyped-def]
            return [read(reply) for reply in ("Agree.", "they disagree", "who knows")[: len(questions)]]

    assert as_asked(Model())(texts) == [1.0, 0.0, 0.5]
