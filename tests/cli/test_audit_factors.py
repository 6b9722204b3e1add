"""``truing audit factors`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs import truing, write_rows
from tests.rewards.judges.stub import Answer, serving


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Eight pairs; the chosen answer is the shorter one."""
    rows = [
        {"prompt": f"Question {number}?", "chosen": "A word.", "rejected": "word " * (20 + number)}
        for number in range(8)
    ]
    return write_rows(tmp_path / "pairs.jsonl", rows)


def test_people_a_judge_and_a_writer(pairs: Path, tmp_path: Path) -> None:
    """The judge prefers the shorter answer as the labels do; the same model writes more for a higher level."""

    def says(number: int, body: dict) -> Answer:
        asked, shown = body["messages"][0]["content"], body["messages"][1]["content"]
        if "quality" in asked:
            return Answer("word " * int(asked[asked.index("quality ") + 8]))
        return Answer(json.dumps({"verdict": "A" if "A word." in shown.split("<<< answer B")[0] else "B"}))

    kept = tmp_path / "written.jsonl"
    with serving(says) as stub:
        model = f"{stub.url}#m"
        given = ["--judge", model, "--writer", model, "--prompts", "4", "--keep-generated", kept]
        ended = truing(["audit", "factors", pairs, *given, "--draws", "5", "--json"], tmp_path / "p")
        assert ended.code == 0, ended.err
        assert len(stub.requests) == 16 + 20
    found = json.loads(ended.out)
    place = found["factors"].index("length")
    assert [own["tau"][place]["value"] for own in found["annotators"]] == [-1, -1, 1]
    ended = truing(["audit", "factors", pairs, "--generated", kept, "--draws", "5"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "written.jsonl as writer, 40 pairs" in ended.out


def test_mistakes_and_a_dry_run(pairs: Path, tmp_path: Path) -> None:
    for options, message in (
        (["--ties", "half"], "ties are 'half'"),
        (["--writer", "truing/tiny", "--generated", pairs], "answers are written or read"),
        (["--keep-generated", pairs], "nothing is written"),
        (["--generated", pairs], "`level` is null"),
    ):
        ended = truing(["audit", "factors", pairs, *options], tmp_path / "p")
        assert ended.code == 2
        assert message in ended.err.replace("\n", " ")
    ended = truing(["audit", "factors", pairs, "--writer", "truing/tiny", "--dry-run", "--json"], tmp_path / "p")
    assert json.loads(ended.out) == {"votes": 8, "questions to judges": 0, "answers to write": 40}


def test_the_packaged_model_writes_and_judges(pairs: Path, tmp_path: Path) -> None:
    given = ["--judge", "truing/tiny", "--writer", "truing/tiny", "--prompts", "1", "--max-tokens", "8"]
    ended = truing(["audit", "factors", pairs, *given, "--draws", "2", "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    names = [own["name"] for own in json.loads(ended.out)["annotators"]]
    assert names[0] == "labels"
    assert "truing/tiny" in names
