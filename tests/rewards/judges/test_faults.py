"""Judges behind an endpoint that dies, waits, limits, refuses, or talks nonsense."""

import json
import logging

import pytest

from tests.rewards.judges.stub import Answer, completion, serving
from tests.rewards.judges.test_remote import by_length, judge
from truing.errors import RunError
from truing.rewards.judges.patience import Patience

GOOD = Answer('{"score": 7}')


@pytest.mark.parametrize(
    "fault",
    [
        Answer(status=429, raw=b"{}"),
        Answer(status=429, raw=b"{}", headers={"Retry-After": "0"}),
        Answer(status=500, raw=b"oops"),
        Answer(status=503, raw=b""),
        Answer(drop=True),
        Answer(raw=b"<html>gateway</html>"),
        Answer(raw=completion("x")[:20]),
        Answer(raw=b'{"choices": []}'),
        Answer(raw=b'{"choices": [{"message": {"content": null}}]}'),
        Answer(raw=b"\xff\xfe"),
        Answer(late=0.6),
        Answer("no JSON"),
        Answer('{"score": 70}'),
        Answer('{"score": '),
    ],
    ids=lambda fault: f"{fault.status} {fault.text[:9]} {(fault.raw or b'')[:10]!r} {fault.late or ''}",
)
def test_a_fault_that_passes_is_waited_out(tmp_path, fault) -> None:
    with serving(lambda number, body: fault if number < 2 else GOOD) as stub:
        scorer = judge(stub, tmp_path, timeout=0.3)
        assert scorer(["p"], ["a"]).values.tolist() == [[7.0]]
    assert len(stub.requests) == 3
    assert scorer.usage.failures + scorer.usage.unreadable == 2


def test_what_a_server_asks_for_is_waited(tmp_path, monkeypatch) -> None:
    limited = Answer(status=429, raw=b"{}", headers={"Retry-After": "17"})
    asked: list[float | None] = []

    def at_once(patience, failures, draw, asked_for=None) -> float:
        asked.append(asked_for)
        return 0.0

    monkeypatch.setattr(Patience, "wait", at_once)
    with serving(lambda number, body: limited if number < 2 else GOOD) as stub:
        judge(stub, tmp_path)(["p"], ["a"])
    assert asked == [17.0, 17.0]


def test_a_wait_that_is_too_long_ends_the_run(tmp_path) -> None:
    limited = Answer(status=429, raw=b"{}", headers={"Retry-After": "86400"})
    with (
        serving(lambda number, body: limited) as stub,
        pytest.raises(RunError, match=r"after 1 attempts: HTTP 429.*asks to wait 86,400 seconds"),
    ):
        judge(stub, tmp_path)(["p"], ["a"])
    assert len(stub.requests) == 1


def test_a_server_that_dies_mid_run_costs_nothing_that_was_judged(tmp_path) -> None:
    """Five of twelve questions are answered; the second run asks the other seven, and no more."""
    answers = [str(n) * (n % 9 + 1) for n in range(12)]

    def dies(number, body):
        return by_length(number, body) if number < 5 else Answer(drop=True)

    with serving(dies) as stub:
        with pytest.raises(RunError, match=r"(?s)did not answer after 2 attempts.*what it has judged is kept"):
            judge(stub, tmp_path, attempts=2, concurrency=1)(["p"] * 12, answers)
        judged = stub.asked[:5]
        stub.judge, stub.requests = by_length, []
        scorer = judge(stub, tmp_path, attempts=2, concurrency=3)
        found = scorer(["p"] * 12, answers)
    assert found.values[:, 0].tolist() == [float(len(answer)) for answer in answers]
    assert len(stub.requests) == 7
    assert not {*judged} & {*stub.asked}
    assert (scorer.usage.cached, scorer.usage.calls) == (5, 7)


def test_replies_that_are_on_their_way_are_kept(tmp_path) -> None:
    """One question is refused while others are open: these are answered, and kept."""

    def refuses_one(number, body):
        if "\nbad\n" in body["messages"][1]["content"]:
            return Answer(status=400, raw=b"bad request", late=0.5)
        return Answer('{"score": 7}', late=1.0)

    with serving(refuses_one) as stub:
        with pytest.raises(RunError, match=r"(?s)the judge refuses: HTTP 400.*bad request"):
            judge(stub, tmp_path, concurrency=4)(["p"] * 4, ["a", "bad", "b", "c"])
        assert len(list(tmp_path.rglob("*.json"))) == 3


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "to a valid key"),
        (403, "may use this model"),
        (404, "check url and model"),
        (302, "see what the server"),
    ],
)
def test_what_will_not_pass_is_not_asked_again(tmp_path, status, remedy) -> None:
    moved = Answer(status=status, raw=b"go away", headers={"Location": "http://127.0.0.1:9/elsewhere"})
    with (
        serving(lambda number, body: moved) as stub,
        pytest.raises(RunError, match=rf"(?s)HTTP {status}.*go away.*{remedy}"),
    ):
        judge(stub, tmp_path)(["p"], ["a"])
    assert len(stub.requests) == 1


def test_a_server_that_repeats_the_key_does_not_get_it_shown(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-secret")
    said = Answer(status=401, raw=b"wrong key sk-secret\x1b[31m")
    with serving(lambda number, body: said) as stub, pytest.raises(RunError, match=r"wrong key \*\*\*") as error:
        judge(stub, tmp_path, key_from="JUDGE_KEY")(["p"], ["a"])
    assert "sk-secret" not in str(error.value)
    assert "\x1b" not in str(error.value)


def test_nobody_listens(tmp_path) -> None:
    with serving(lambda number, body: GOOD) as stub:
        pass
    with pytest.raises(RunError, match=r"(?s)after 3 attempts.*see that the server runs"):
        judge(stub, tmp_path, attempts=3)(["p"], ["a"])


def test_a_reply_that_never_ends(tmp_path) -> None:
    with (
        serving(lambda number, body: Answer(raw=b" " * (5 * 2**20))) as stub,
        pytest.raises(RunError, match="longer than 4,194,304 bytes"),
    ):
        judge(stub, tmp_path, attempts=2)(["p"], ["a"])


def test_one_answer_that_cannot_be_judged_is_masked_and_told(tmp_path, caplog) -> None:
    def mumbles(number, body):
        return Answer("hm") if "\nodd\n" in body["messages"][1]["content"] else GOOD

    with serving(mumbles) as stub, caplog.at_level(logging.WARNING):
        found = judge(stub, tmp_path)(["p"] * 3, ["a", "odd", "b"])
    assert found.valid[:, 0].tolist() == [True, False, True]
    assert "1 of 3 answers are not judged" in caplog.text
    assert "'hm'" in caplog.text
    assert len(stub.requests) == 5


def test_a_judge_that_only_mumbles_ends_the_run(tmp_path) -> None:
    with (
        serving(lambda number, body: Answer("hm " * 99)) as stub,
        pytest.raises(
            RunError, match=r"(?s)none of 2 replies of the judge could be read, e.g. 'hm hm.*max_tokens"
        ),
    ):
        judge(stub, tmp_path)(["p"] * 2, ["a", "b"])


def test_garbage_in_usage_counts_as_nothing(tmp_path) -> None:
    raw = {"choices": [{"message": {"content": '{"score": 7}'}}], "usage": {"prompt_tokens": "many"}}
    with serving(lambda number, body: Answer(raw=json.dumps(raw).encode())) as stub:
        scorer = judge(stub, tmp_path)
        scorer(["p"], ["a"])
    assert (scorer.usage.calls, scorer.usage.tokens_in) == (1, 0)
