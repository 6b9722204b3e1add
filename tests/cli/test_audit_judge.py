"""``truing audit judge`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs import truing, write_rows
from tests.rewards.judges.stub import Answer, serving


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Eight pairs in the form of LLMBar."""
    rows = [
        {
            "input": f"Question {number}?",
            "output_1": f"{'good' if number % 2 else 'bad'} {number}",
            "output_2": f"{'bad' if number % 2 else 'good'} {number}",
            "label": 1 if number % 2 else 2,
        }
        for number in range(8)
    ]
    return write_rows(tmp_path / "pairs.jsonl", rows)


def follows_the_crowd(number: int, body: dict) -> Answer:
    """Right, but for what a majority is said to prefer, unless it is warned of majorities."""
    asked, shown = body["messages"][0]["content"], body["messages"][1]["content"]
    told = shown.split("readers said that answer ")
    right = "A" if "good" in shown.split("<<< answer B")[0] else "B"
    return Answer(json.dumps({"verdict": told[1][0] if len(told) > 1 and "majority" not in asked else right}))


def test_an_endpoint_with_a_bias_and_a_warning(pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with serving(follows_the_crowd) as stub:
        given = ["--judge", f"{stub.url}#j", "--bias", "bandwagon", "--mitigate", "targeted", "--again"]
        ended = truing(["audit", "judge", "--data", pairs, *given, "-o", out], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "bandwagon, toward wrong answers: moves the judge; shift +100.0%" in ended.out
    assert "targeted against bandwagon: shift +0.0%, a change of -100.0%" in ended.out
    assert "gives the same verdict in 100.0% of cases" in ended.out
    found = json.loads((out / "judge.json").read_text())
    assert found["pairs"] == 8
    assert "What moves the judge?" in (out / "report.html").read_text()


def test_questions_are_counted_before_they_are_asked(pairs: Path, tmp_path: Path) -> None:
    given = ["--judge", "http://127.0.0.1:9/v1#m", "--bias", "authority", "--both-targets", "--dry-run", "--json"]
    ended = truing(["audit", "judge", "--data", pairs, *given], tmp_path / "p")
    assert json.loads(ended.out) == {"pairs": 8, "questions": 16 * 5}


def test_mistakes(pairs: Path, tmp_path: Path) -> None:
    for options, message in (
        ([], "exactly one of the two"),
        (["--judge", "truing/tiny", "--bias", "luck"], "there is no bias 'luck'"),
        (["--judge", "truing/tiny", "--mitigate", "targeted"], "replies in words"),
        (["--judge", "truing/tiny", "--replies", "song"], "there are no replies 'song'"),
        (["--judge", "http://127.0.0.1:9/v1"], "needs the name of its model"),
    ):
        ended = truing(["audit", "judge", "--data", pairs, *options], tmp_path / "p")
        assert ended.code == 2
        assert message in ended.err.replace("\n", " ")


def test_the_packaged_model_on_real_pairs(shared_data: Path, tmp_path: Path) -> None:
    data = shared_data / "llmbar" / "natural.json"
    given = ["--judge", "truing/tiny", "--bias", "authority", "--sample", "2", "--json"]
    ended = truing(["audit", "judge", "--data", data, *given], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert [own["bias"] for own in json.loads(ended.out)["biases"]["effects"]] == ["position", "authority"]


def test_recorded_verdicts(shared_data: Path, tmp_path: Path) -> None:
    data = shared_data / "alpaca-eval" / "soft" / "gpt4_gamed.json.gz"
    ended = truing(["audit", "judge", "--recorded", "--data", data], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "The answer that is longer, where one is, wins" in ended.out
    assert "50 % is expected if places do not matter" in ended.out


def test_multiple_choice_questions(shared_data: Path, tmp_path: Path) -> None:
    """Real questions of TruthfulQA and the packaged model; a stub that follows citations."""
    data = shared_data / "truthfulqa" / "TruthfulQA.csv"
    given = ["--data", data, "--bias", "authority", "--sample", "4"]
    ended = truing(["audit", "judge", *given, "--judge", "truing/tiny", "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["pairs"] == 4
    assert [own["bias"] for own in found["biases"]["effects"]] == ["position", "authority"]
    ended = truing(["audit", "judge", *given, "--judge", "truing/tiny", "--dry-run", "--json"], tmp_path / "p")
    assert json.loads(ended.out) == {"questions with options": 4, "questions": 24}
    ended = truing(["audit", "judge", *given, "--judge", "truing/tiny", "--both-targets"], tmp_path / "p")
    assert ended.code == 2
    assert "beside a wrong option" in ended.err.replace("\n", " ")
