"""``truing audit values`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs import truing, write_rows
from tests.rewards.judges.stub import Answer, serving

PLAIN = "There are 12 months in a year. January has 31 days, and so have 6 others. February has 28."


@pytest.fixture
def unseen(tmp_path: Path) -> Path:
    """What ``truing data values`` holds back of ten instructions."""
    rows = [{"prompt": f"Question {number}?", "completion": PLAIN} for number in range(10)]
    data = write_rows(tmp_path / "plain.jsonl", rows)
    made = truing(["data", "values", data, "-o", tmp_path / "values"], tmp_path / "p")
    assert made.code == 0, made.err
    return tmp_path / "values" / "unseen.jsonl"


def test_a_model_that_obeys_one_dimension(unseen: Path, tmp_path: Path) -> None:
    """It writes in the case that is asked for and minds nothing else; without a message it writes lower case."""

    def says(number: int, body: dict) -> Answer:
        system = body["messages"][0]["content"] if body["messages"][0]["role"] == "system" else ""
        return Answer(PLAIN.upper() if "capital letters only" in system else PLAIN.lower())

    with serving(says) as stub:
        given = ["audit", "values", f"{stub.url}#m", "--data", unseen]
        ended = truing([*given, "--json"], tmp_path / "p")
        assert ended.code == 0, ended.err
        found = json.loads(ended.out)
        # One instruction is held back, under three messages; without one it is the same question.
        assert (found["told"]["n"], len(stub.requests)) == (3, 4)
        said = truing(given, tmp_path / "p").out
    assert found["dimensions"]["case"]["value"] == 1.0
    assert found["dimensions"]["case"]["n"] == found["told"]["n"]
    assert found["told"]["value"] > found["untold"]["value"]
    assert found["change"]["value"] == pytest.approx(found["told"]["value"] - found["untold"]["value"])
    assert said.startswith("Of the values that a message asks for, ")
    assert "  case: 100.0% (" in said


def test_the_packaged_model_and_a_plan(unseen: Path, tmp_path: Path) -> None:
    plan = truing(
        ["audit", "values", "truing/tiny", "--data", unseen, "--limit", "2", "--dry-run"], tmp_path / "p"
    )
    assert plan.out == "4 answers to 2 questions. Nothing was done (--dry-run).\n"
    given = ["audit", "values", "truing/tiny", "--data", unseen, "--limit", "2", "--max-new-tokens", "8"]
    ended = truing([*given, "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["told"]["n"] + json.loads(ended.out)["unanswered"] == 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "Q", "chosen": "a", "rejected": "b"}, "the row is not one of `truing data values`"),
        ({"prompt": [{"role": "system", "content": "S"}], "values": ["kind"]}, "no rule says whether"),
        ({"prompt": [{"role": "user", "content": "Q"}], "values": []}, "no row asks for a value"),
    ],
)
def test_other_files_are_refused(row: dict[str, object], message: str, tmp_path: Path) -> None:
    data = write_rows(tmp_path / "other.jsonl", [row])
    ended = truing(["audit", "values", "truing/tiny", "--data", data], tmp_path / "p")
    assert ended.code != 0
    assert message in " ".join(ended.err.split())
