"""``truing data conflicts`` and ``truing audit context-trust`` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import truing, write_rows
from tests.rewards.judges.stub import Answer, serving
from truing.data.questions import read_questions


def test_real_questions_and_a_stub(shared_data: Path, tmp_path: Path) -> None:
    """A teacher that knows the best answer when it weighs, and repeats the first passage otherwise."""
    real = shared_data / "truthfulqa" / "TruthfulQA.csv"
    known = {one.text: one.answers[0] for one in read_questions(str(real), 4)}

    def judge(number: int, body: dict[str, Any]) -> Answer:
        asked = body["messages"][-1]["content"]
        if "what each passage claims" in asked:
            return Answer(f"They differ. Answer: {known[asked.rpartition(chr(10))[2]]}")
        return Answer(f"Answer: {asked.partition('[1] ')[2].partition(chr(10))[0] or 'no idea of it'}")

    with serving(judge) as stub:
        command = ["data", "conflicts", real, "--student", "truing/tiny", "--teacher", f"{stub.url}#stub"]
        command += ["--passages", "2", "--limit", "4", "--max-new-tokens", "8", "-o", tmp_path / "out", "--json"]
        ended = truing(command, tmp_path / "p")
    assert ended.code == 0, ended.err
    made = json.loads(ended.out)
    assert made["contexts"] == {"edit": 4, "inter-context": 4, "unknown": 4}
    assert made["strategies"]["inter-context, 50 % poisoned"]["strategy"] == "weigh"
    assert made["strategies"]["inter-context, 50 % poisoned"]["value"] == 1.0
    rows = [json.loads(line) for line in (tmp_path / "out" / "pairs.jsonl").read_text().splitlines()]
    assert {row["source"] for row in rows} <= {"edit", "inter-context", "unknown"}
    assert all("weigh" not in row["prompt"][0]["content"].lower() for row in rows)


def test_the_packaged_model_is_audited(shared_data: Path, tmp_path: Path) -> None:
    real = shared_data / "truthfulqa" / "TruthfulQA.csv"
    command = [
        "audit",
        "context-trust",
        "--data",
        real,
        "--model",
        "truing/tiny",
        "--passages",
        "2",
        "--limit",
        "3",
    ]
    plan = truing([*command, "--dry-run", "--json"], tmp_path / "p")
    assert json.loads(plan.out) == {"questions": 3, "answers, at most": 12}
    ended = truing([*command, "--max-new-tokens", "8", "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    # Two contexts to each of three questions; an interval is over questions.
    assert found["attack_success"]["n"] == 3
    assert found["edit_success"]["n"] + found["accuracy"]["n"] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ratio", "0.3"], "--ratio"),
        (["--variant", "poison"], "did you mean 'poison-only'"),
        (["--passages", "0"], "--passages"),
    ],
)
def test_mistakes(options: list[str], message: str, tmp_path: Path) -> None:
    questions = write_rows(
        tmp_path / "q.jsonl", [{"question": "Which way?", "answer": "north", "wrong": ["south"]}]
    )
    command = ["data", "conflicts", questions, "--student", "truing/tiny", "-o", tmp_path / "out"]
    ended = truing([*command, *options], tmp_path / "p")
    assert ended.code == 2
    assert message in ended.err
