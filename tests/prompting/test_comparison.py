"""Prompts compared: same questions, same draws, paired."""

from __future__ import annotations

import math

import pytest

from tests.rewards.judges.stub import Answer, serving
from truing.chat import chat_model
from truing.errors import DataError, ModelError, TruingError
from truing.policies.generation import Sampling
from truing.prompting.answering import FromChat, FromPolicy
from truing.prompting.comparison import compare
from truing.prompting.models import answering
from truing.prompting.scoring import rewards_of
from truing.prompting.transform import Each, Shown, in_question

LOUD = Each("loud", lambda prompt: in_question(prompt, str.upper))
ASKED = [Shown.of(text) for text in ("a", "bb", "ccc")]


def echo(shown, draw=0):
    return [f"{one.prompt}{draw}" for one in shown]


def test_differences_are_paired_by_question_and_draw() -> None:
    """Changes 1, 2 and 3 by question: mean 2, half width t(2, 0.975) · 1/sqrt(3) = 4.3027 · 0.5774."""
    seen = []

    def capitals(originals, answers, contexts):
        seen.append(list(originals))
        return [float(sum(letter.isupper() for letter in answer)) for answer in answers]

    found = compare(echo, ASKED, [LOUD], capitals, draws=2)
    change = found.change(found.arms[1])
    assert (change.value, change.n) == (2.0, 3)
    assert change.high - change.value == pytest.approx(4.3027 * math.sqrt(1 / 3), abs=1e-3)
    assert found.arms[1].answers[:2] == ["A0", "A1"]
    assert seen[1] == ["a", "a", "bb", "bb", "ccc", "ccc"]


def test_the_identity_changes_nothing() -> None:
    from truing.prompting.transform import Identity

    found = compare(echo, ASKED, [Identity()], lambda o, a, c: [float(len(x)) for x in a])
    assert found.change(found.arms[1]).value == found.change(found.arms[1]).high == 0.0


def test_a_transform_that_loses_what_was_asked_is_refused() -> None:
    class Lossy:
        name = "lossy"

        def __call__(self, shown):
            return [Shown.of("easier") for _ in shown]

    with pytest.raises(TruingError, match="'lossy' changed what was asked"):
        compare(echo, ASKED, [Lossy()], lambda o, a, c: [0.0] * len(a))
    with pytest.raises(TruingError, match="no questions"):
        compare(echo, [], [LOUD], lambda o, a, c: [])


def test_rewards_read_columns_of_the_questions() -> None:
    score = rewards_of([{"name": "exact-match", "column": "answer"}])
    assert score(["?", "?"], ["Apple!", "pear"], [{"answer": "apple"}, {"answer": "apple"}]) == [1.0, 0.0]
    with pytest.raises(DataError, match="reads the column 'answer'"):
        score(["?"], ["apple"], [{"other": 1}])


def test_draws_of_a_local_model_depend_on_prompt_and_draw_alone() -> None:
    model = chat_model("truing/tiny", max_tokens=4)
    answer = FromPolicy(model.policy, Sampling(max_new_tokens=4, temperature=1.0, seed=3))
    asked = [Shown.of("Name a fruit."), Shown.of("Was it a good film, all in all?")]
    assert answer(asked, 1)[1:] == answer(asked[1:], 1)
    assert answer(asked, 0) != answer(asked, 1)
    with pytest.raises(ModelError, match="are more than the model's 1,024"):
        answer([Shown.of("word " * 1200)])


def test_an_endpoint_is_asked_with_the_seed_of_the_draw(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TRUING_CACHE", str(tmp_path))

    def reply(number, body):
        return Answer(f"{body['messages'][-1]['content']} {body.get('seed')}")

    with serving(reply) as stub:
        answer = answering(f"{stub.url}#m", temperature=1.0, seed=5)
        assert [answer([Shown.of("a"), Shown.of("b")], draw) for draw in (0, 2)] == [
            ["a 5", "b 5"],
            ["a 7", "b 7"],
        ]
        found = compare(answer, ASKED, [], lambda o, a, c: [0.0] * len(a), draws=2)
        assert found.arms[0].answers[:2] == ["a 5", "a 6"]
        assert answering(f"{stub.url}#m")([Shown.of("a")], 1) == ["a None"]  # nothing is drawn at temperature 0


def test_a_model_without_seed_gives_one_answer_to_a_question() -> None:
    class Chat:
        name = "stub"

        def __call__(self, questions, read):
            return [read(question[-1]["content"]) for question in questions]

    assert FromChat(Chat())([Shown.of("a")]) == ["a"]
    with pytest.raises(ModelError, match="'stub' takes no seed, and gives one answer to each question"):
        FromChat(Chat())([Shown.of("a")], 1)
