"""``truing audit discretion`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs import truing, write_rows
from tests.rewards.judges.stub import Answer, serving


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Twelve pairs; the rejected answer is longer, the chosen one polite."""
    rows = [
        {"prompt": f"Question {number}?", "chosen": "Please wait.", "rejected": "word " * (20 + number)}
        for number in range(12)
    ]
    return write_rows(tmp_path / "pairs.jsonl", rows)


def test_counted_principles(pairs: Path, tmp_path: Path) -> None:
    ended = truing(["audit", "discretion", pairs, "--draws", "5", "--scorer", "sentiment"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "labels, 12 votes: principles agree on 0.0% (0.0% to 24.2%), conflict on 100.0%" in ended.out
    assert "Pairs of principles that labels and sentiment order differently: " in ended.out


def test_an_oracle_that_knows_one_principle_at_a_time(pairs: Path, tmp_path: Path) -> None:
    """It finds the short answer by one principle, and the first by the other, which is no vote."""

    def says(number: int, body: dict) -> Answer:
        asked, shown = body["messages"][0]["content"], body["messages"][1]["content"]
        short = "A" if "Please" in shown.split("<<< answer B")[0] else "B"
        return Answer(json.dumps({"verdict": short if "brevity" in asked else "A"}))

    out = tmp_path / "found.json"
    with serving(says) as stub:
        given = ["--oracle", f"{stub.url}#o", "--principle", "short: brevity", "--principle", "wise: wisdom"]
        ended = truing(["audit", "discretion", pairs, *given, "--draws", "5", "-o", out], tmp_path / "p")
        assert ended.code == 0, ended.err
        assert len(stub.requests) == 48
    found = json.loads(out.read_text())
    assert found["consistent"]["wise"]["value"] == 0
    assert found["annotators"][0]["room"]["consensus"]["value"] == 1
    assert found["annotators"][0]["arbitrariness"]["value"] == 0
    assert "says the same in both orders of 100.0% of 12 pairs" in ended.out


def test_mistakes(pairs: Path, tmp_path: Path) -> None:
    for options, message in (
        (["--oracle", "truing/tiny"], "an oracle and principles belong together"),
        (["--oracle", "truing/tiny", "--principle", "safe"], "is no principle"),
        (["--scorer", "beauty"], "beauty"),
    ):
        ended = truing(["audit", "discretion", pairs, *options], tmp_path / "p")
        assert ended.code == 2
        assert message in ended.err.replace("\n", " ")


def test_the_packaged_model_as_oracle_and_a_dry_run(pairs: Path, tmp_path: Path) -> None:
    given = ["--oracle", "truing/tiny", "--principle", "kind: kindness", "--judge", "truing/tiny"]
    ended = truing(["audit", "discretion", pairs, *given, "--dry-run", "--json"], tmp_path / "p")
    assert json.loads(ended.out) == {
        "votes": 12,
        "annotators": 1,
        "questions to the oracle": 24,
        "questions to judges": 24,
    }
    ended = truing(["audit", "discretion", pairs, *given, "--draws", "2", "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["principles"] == ["kind"]
