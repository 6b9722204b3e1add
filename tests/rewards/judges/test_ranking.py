"""A judge that puts all answers to a prompt in order."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.rewards.judges.stub import Answer, serving
from tests.rewards.judges.test_remote import judge
from truing.rewards.judges.ranking import RankingJudge
from truing.rewards.judges.reading import read_order


def answers_in(body: dict) -> list[str]:
    return re.findall(r"<<< answer \d+ >>>\n(.*)\n<<< end", body["messages"][1]["content"])


def longest_first(number: int, body: dict) -> Answer:
    answers = answers_in(body)
    order = sorted(range(len(answers)), key=lambda i: -len(answers[i]))
    return Answer(json.dumps({"ranking": [i + 1 for i in order]}))


def test_ranks_within_the_prompt(tmp_path: Path) -> None:
    with serving(longest_first) as stub:
        found = judge(stub, tmp_path, "llm-ranking")(list("pqpppq"), ["abc", "x", "a", "abcde", "ab", "xyz"])
    assert found.values[:, 0].tolist() == pytest.approx([2 / 3, 0.0, 0.0, 1.0, 1 / 3, 1.0])
    assert len(stub.requests) == 2


def test_an_answer_that_is_alone_has_no_rank(tmp_path: Path) -> None:
    with serving(longest_first) as stub:
        found = judge(stub, tmp_path, "llm-ranking")(["p", "q", "q"], ["a", "b", "bc"])
    assert found.valid[:, 0].tolist() == [False, True, True]


def test_the_order_shown_depends_on_the_texts_alone(tmp_path: Path) -> None:
    texts = [letter * 3 for letter in "abcdef"]
    with serving(longest_first) as stub:
        scorer = judge(stub, tmp_path, "llm-ranking")
        scorer(["p"] * 6, texts)
        scorer(["p"] * 6, texts[::-1])
    assert len(stub.requests) == 1, "the same question"
    assert answers_in(stub.requests[0]) != sorted(texts)


def test_a_reply_that_is_no_order_masks_the_prompt(tmp_path: Path) -> None:
    def one_is_lost(number: int, body: dict) -> Answer:
        good = "good" in body["messages"][1]["content"]
        return Answer('{"ranking": [2, 1]}' if good else '{"ranking": [1, 1]}')

    with serving(one_is_lost) as stub:
        found = judge(stub, tmp_path, "llm-ranking")(["good", "good", "bad", "bad"], list("abcd"))
    assert found.valid[:, 0].tolist() == [True, True, False, False]


def test_it_is_shown_the_last_ranking_and_keeps_it(tmp_path: Path) -> None:
    with serving(longest_first) as stub:
        scorer = judge(stub, tmp_path, "llm-ranking")
        assert isinstance(scorer, RankingJudge)
        scorer.keep_in(tmp_path / "run")
        scorer.show(3, "an old question", ["its best", "its worst " + 1000 * "x"])
        again = judge(stub, tmp_path, "llm-ranking")
        again.keep_in(tmp_path / "run")
        again(["p", "p"], ["a", "ab"])
    said = stub.requests[0]["messages"][1]["content"]
    places = [said.index(text) for text in ("an old question", "its best", "its worst", "Now the question")]
    assert places == sorted(places)
    assert len(said) < 1500, "what is shown is cut"


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "[2, 1]",
        '{"ranking": "2, 1"}',
        '{"ranking": [1]}',
        '{"ranking": [0, 1]}',
        '{"ranking": [true, 2]}',
        '{"ranking": [1.0, 2]}',
    ],
)
def test_what_is_no_order(reply: str) -> None:
    assert read_order(reply, 2) is None


def test_the_last_word_counts() -> None:
    assert read_order('They say {"ranking": [1, 2]}, but {"ranking": [2, 1]}', 2) == [1, 0]
