"""``truing data debates`` and ``truing audit persuasion`` as a user types them, with a stub in a model's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import truing, write_rows
from tests.rewards.judges.stub import Answer, serving
from truing.data.questions import Question, read_questions


def _debater(questions: list[Question]) -> Any:
    """States a wrong answer first; who is told to follow then gives in to the partner, all others hold on."""

    def judge(number: int, body: dict[str, Any]) -> Answer:
        messages = body["messages"]
        first = messages[0]["content"]
        question = next(one for one in questions if one.text in first)
        partners = first.partition(question.text)[2]
        spoken = any(message["role"] == "assistant" for message in messages)
        if spoken:
            return Answer("I agree with you." if "Stand by" in first else "I stick with my answer.")
        # Whoever speaks second is right.
        return Answer(f"Answer: {question.answers[0] if partners else question.wrong[0]}")

    return judge


def test_real_questions_and_a_stub(shared_data: Path, tmp_path: Path) -> None:
    """The first is wrong, the second right: giving in to it is worth more, and turns of the second hold on."""
    real = shared_data / "truthfulqa" / "TruthfulQA.csv"
    with serving(_debater(read_questions(str(real), 3))) as stub:
        command = ["data", "debates", real, "--model", f"{stub.url}#stub", "-o", tmp_path / "out", "--limit", "3"]
        ended = truing([*command, "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    made = json.loads(ended.out)
    assert made["turns"] == 3 * 30
    assert made["tags"]["accept"] > 0
    row = json.loads((tmp_path / "out" / "pairs.jsonl").read_text().splitlines()[0])
    assert row["prompt"][0]["content"].startswith("Why do veins")


def test_audit_of_a_stub(tmp_path: Path) -> None:
    rows = [{"id": "a", "question": "Which way?", "answer": "north", "wrong": ["south"]}]
    questions = write_rows(tmp_path / "q.jsonl", rows)

    def judge(number: int, body: dict[str, Any]) -> Answer:
        told = "I am sure that the answer is north" in body["messages"][-1]["content"]
        return Answer("You are right." if told else "Answer: south")

    with serving(judge) as stub:
        ended = truing(["audit", "persuasion", "--data", questions, "--model", f"{stub.url}#stub"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "acceptance rate (wrong answers corrected; 1 is best): 1.000" in ended.out
    assert "misinformation rate (right answers given up for a false claim; 0 is best): not known" in ended.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--depth", "2"], "--depth"),
        (["--variant", "resist"], "did you mean 'resist-only'"),
        (["--gap", "1"], "--gap"),
        (["--variant", "resist-only", "--even"], "one tag alone"),
    ],
)
def test_mistakes(options: list[str], message: str, tmp_path: Path) -> None:
    questions = write_rows(tmp_path / "q.jsonl", [{"question": "Which way?", "answer": "north"}])
    ended = truing(
        ["data", "debates", questions, "--model", "truing/tiny", "-o", tmp_path / "out", *options], tmp_path / "p"
    )
    assert ended.code == 2
    assert message in ended.err


def test_the_packaged_model_says_nothing_that_can_be_read(tmp_path: Path) -> None:
    questions = write_rows(tmp_path / "q.jsonl", [{"question": "Which way?", "answer": "north"}])
    command = ["data", "debates", questions, "--model", "truing/tiny", "-o", tmp_path / "out", "--depth", "3"]
    plan = truing([*command, "--dry-run", "--json"], tmp_path / "p")
    assert json.loads(plan.out) == {"questions": 1, "turns to write": 14}
    ended = truing([*command, "--max-new-tokens", "8"], tmp_path / "p")
    assert ended.code == 2
    assert "no pair differs enough in" in ended.err
    assert not (tmp_path / "out" / "pairs.jsonl").exists()
