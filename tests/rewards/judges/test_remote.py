"""Judges behind an endpoint that works."""

import json
import math
import re

import pytest
import torch

from tests.rewards.judges.stub import Answer, serving
from truing.errors import ObjectiveError, RecipeError
from truing.recipe.online import RewardsSection
from truing.rewards.algebra import skew
from truing.rewards.build import build
from truing.rewards.judges.pairs import Tables


def judge(stub, tmp_path, name="llm-judge", **settings):
    spec = {"name": name, "url": stub.url, "model": "m", "cache": str(tmp_path), "first_wait": 0.001, **settings}
    return build(RewardsSection.model_validate({"rewards": [spec]})).scorers[0]


def by_length(number, body) -> Answer:
    """As many points as the answer has characters."""
    answer = re.search(r"<<< answer >>>\n(.*)\n<<< end", body["messages"][1]["content"])[1]
    return Answer(json.dumps({"score": len(answer)}))


def longer_wins(number, body) -> Answer:
    asked = body["messages"][1]["content"]
    first, second = (re.search(rf"<<< answer {x} >>>\n(.*)\n<<< end", asked)[1] for x in "AB")
    verdict = "tie" if len(first) == len(second) else "A" if len(first) > len(second) else "B"
    return Answer(json.dumps({"verdict": verdict}))


def test_scores_of_a_batch_in_order(tmp_path) -> None:
    with serving(by_length) as stub:
        scorer = judge(stub, tmp_path, price_in=2.0, price_out=10.0)
        found = scorer(["p", "q", "p", "p"], ["abc", "a", "abcde", "abc"])
    assert found.values[:, 0].tolist() == [3.0, 1.0, 5.0, 3.0]
    assert found.names == ("llm-judge",)
    # The question that stands there twice is asked once.
    assert len(stub.requests) == 3
    # Three times 100 tokens at 2 and 10 tokens at 10 a million.
    assert scorer.usage.as_dict() == {
        "calls": 3, "failures": 0, "unreadable": 0, "cached": 0, "tokens_in": 300, "tokens_out": 30,
        "cost": pytest.approx(0.0009),
    }  # fmt: skip


def test_what_is_asked(tmp_path) -> None:
    prompt = [{"role": "user", "content": "How?"}, {"role": "assistant", "content": "So."}]
    with serving(by_length) as stub:
        judge(stub, tmp_path, criteria="its rhymes", temperature=0.5, max_tokens=99)([prompt], ["abc"])
    (request,) = stub.requests
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("m", 0.5, 99)
    assert "from 1 (worst) to 10 (best) for its rhymes" in request["messages"][0]["content"]
    assert "User: How?\n\nAssistant: So." in request["messages"][1]["content"]


def test_a_second_run_asks_nothing(tmp_path) -> None:
    with serving(by_length) as stub:
        first = judge(stub, tmp_path)(["p", "p"], ["a", "ab"])
        again = judge(stub, tmp_path)
        assert torch.equal(again(["p", "p"], ["a", "ab"]).values, first.values)
        assert len(stub.requests) == 2
        assert again.usage.cached == 2
        # Another model, another temperature and another question are other questions.
        for other in ({"model": "n"}, {"temperature": 1.0}, {"criteria": "wit"}):
            judge(stub, tmp_path, **other)(["p"], ["a"])
    assert len(stub.requests) == 5


def test_a_damaged_file_is_asked_for_again(tmp_path) -> None:
    with serving(by_length) as stub:
        judge(stub, tmp_path)(["p"], ["a"])
        (kept,) = tmp_path.rglob("*.json")
        kept.write_text('{"reply": "{', encoding="utf-8")
        assert judge(stub, tmp_path)(["p"], ["a"]).values.tolist() == [[1.0]]
        kept.write_text('{"reply": "nothing"}', encoding="utf-8")
        assert judge(stub, tmp_path)(["p"], ["a"]).values.tolist() == [[1.0]]
    assert len(stub.requests) == 3


def test_no_more_than_so_many_at_a_time(tmp_path) -> None:
    with serving(lambda number, body: Answer(late=0.02)) as stub:
        judge(stub, tmp_path, concurrency=3)(["p"] * 12, [str(n) for n in range(12)])
    assert 2 <= stub.busiest <= 3


def test_the_key_comes_from_the_environment_and_is_not_shown(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-secret")
    with serving(by_length) as stub:
        scorer = judge(stub, tmp_path, key_from="JUDGE_KEY")
        scorer(["p"], ["a"])
    assert stub.keys == ["Bearer sk-secret"]
    assert "sk-secret" not in repr(scorer)
    assert not any("sk-secret" in path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.json"))


def test_a_key_in_the_recipe_is_refused_and_not_repeated(tmp_path, monkeypatch) -> None:
    with serving(by_length) as stub:
        with pytest.raises(
            ObjectiveError, match=r"(?s)no name of an environment variable.*OPENAI_API_KEY"
        ) as error:
            judge(stub, tmp_path, key_from="sk-secret")
        assert "sk-secret" not in str(error.value)
        monkeypatch.delenv("JUDGE_KEY", raising=False)
        with pytest.raises(ObjectiveError, match="JUDGE_KEY holds no key"):
            judge(stub, tmp_path, key_from="JUDGE_KEY")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": None}, "the judge has no url or no model"),
        ({"url": "file:///etc/passwd"}, "(?s)url of the judge cannot be used.*http://localhost:8000/v1"),
        ({"url": "http://user:secret@host/v1"}, "no user, key or query"),
        ({"low": 3.0, "high": 3.0}, "leave no room"),
        ({"concurrency": 0}, "1 to 256"),
        ({"colour": 1}, "has no hyper-parameter 'colour'"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path, settings, message) -> None:
    with serving(by_length) as stub, pytest.raises((ObjectiveError, RecipeError), match=message) as error:
        judge(stub, tmp_path, **settings)
    assert "secret" not in str(error.value)


def test_pairs_against_the_records_own_answer(tmp_path) -> None:
    with serving(longer_wins) as stub:
        scorer = judge(stub, tmp_path, "llm-judge-pairs", column="other")
        found = scorer(["p"] * 4, ["abc", "a", "ab", "ab"], {"other": ["ab", "ab", "xy", None]})
    assert found.values[:3, 0].tolist() == [1.0, -1.0, 0.0]
    assert math.isnan(found.values[3, 0])
    assert len(stub.requests) == 6


def test_a_judge_that_prefers_a_place_says_nothing(tmp_path) -> None:
    """A in both orders: a win and a loss."""
    with serving(lambda number, body: Answer('{"verdict": "A"}')) as stub:
        pairs = judge(stub, tmp_path, "llm-judge-pairs").judge
        assert pairs.orders(["p"], ["a"], ["b"]).tolist() == [[1.0, 0.0]]
        assert pairs.compare(["p"], ["a"], ["b"]).tolist() == [0.0]
        assert pairs.consistent(["p"], ["a"], ["b"]).tolist() == [False]


def test_a_table_of_all_answers(tmp_path) -> None:
    with serving(longer_wins) as stub:
        table = Tables(judge(stub, tmp_path, "llm-judge-pairs").judge)("p", ["a", "abc", "ab"])
    assert skew(table).tolist() == [[0, -1, -1], [1, 0, 1], [1, -1, 0]]
    assert len(stub.requests) == 6


def test_one_answer_has_nothing_to_meet(tmp_path) -> None:
    with serving(longer_wins) as stub:
        assert Tables(judge(stub, tmp_path, "llm-judge-pairs").judge)("p", ["a"]).tolist() == [[0.0]]
    assert not stub.requests
