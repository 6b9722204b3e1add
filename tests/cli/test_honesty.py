"""``truing data honesty`` and ``truing audit honesty`` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs import truing, write_rows

QUESTIONS = [
    {"id": "a", "question": "1 + 1?", "answer": "2"},
    {"id": "b", "question": "Capital?", "answers": ["Rome"]},
]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "questions.jsonl", QUESTIONS)


def test_data_from_recorded_answers(questions: Path, tmp_path: Path) -> None:
    said = [
        {"id": "a", "greedy": "2", "samples": ["2", "3"]},
        {"id": "b", "greedy": "Oslo", "samples": ["Oslo", "Oslo"]},
    ]
    answers = write_rows(tmp_path / "answers.jsonl", said)
    out = tmp_path / "out"
    ended = truing(["data", "honesty", questions, "--answers", answers, "-o", out, "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    made = json.loads(ended.out)
    assert (made["rows"], made["declined"]["value"]) == (2, 0.5)
    rows = [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]
    assert rows[0]["completion"][0]["content"] == "2"


def test_mistakes(questions: Path, tmp_path: Path) -> None:
    ended = truing(["data", "honesty", questions, "-o", tmp_path / "out"], tmp_path / "p")
    assert ended.code == 2
    assert "exactly one of the two" in ended.err
    ended = truing(["audit", "honesty", "--data", questions, "--before", "truing/tiny"], tmp_path / "p")
    assert ended.code == 2
    assert "--before and --after, or --answers" in ended.err


def test_audit_of_recorded_answers(questions: Path, tmp_path: Path) -> None:
    said = [
        {"id": "a", "before": "2", "after": "2"},
        {"id": "b", "before": "Oslo", "after": "I do not know."},
    ]
    answers = write_rows(tmp_path / "said.jsonl", said)
    ended = truing(["audit", "honesty", "--data", questions, "--answers", answers], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "prudence: 1.000" in ended.out
    assert "over-conservativeness: 0.000" in ended.out


def test_real_questions_and_the_packaged_model(shared_data: Path, tmp_path: Path) -> None:
    """The model knows none of it; what is drawn is kept, and asked for once."""
    real = shared_data / "truthfulqa" / "TruthfulQA.csv"
    out = tmp_path / "out"
    command = ["data", "honesty", real, "--model", "truing/tiny", "-o", out, "--limit", "3", "--samples", "2"]
    command += ["--max-new-tokens", "6", "--json"]
    plan = truing([*command, "--dry-run"], tmp_path / "p")
    assert json.loads(plan.out)["answers to draw"] == 9
    assert not out.exists()
    ended = truing(command, tmp_path / "p")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["questions"] == 3
    kept = (out / "answers.jsonl").read_text()
    again = truing([*command, "--variant", "multisample"], tmp_path / "p")
    assert json.loads(again.out)["rows"] == 6
    assert (out / "answers.jsonl").read_text() == kept
