"""``truing audit dissection`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs import truing, write_rows
from tests.rewards.judges.stub import Answer, serving


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Sixty pairs of which the longer answer is preferred, all but six."""
    rows = []
    for number in range(60):
        sides = ["word " * (20 + number), "word " * 4]
        better, worse = sides if number % 10 else sides[::-1]
        rows.append({"prompt": f"Question {number}?", "chosen": better, "rejected": worse})
    return write_rows(tmp_path / "pairs.jsonl", rows)


def test_length_is_found(pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    ended = truing(["audit", "dissection", pairs, "--draws", "10", "-o", out], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "lengthy: +" in ended.out
    assert "they stand in for ratings" in ended.out
    (fit,) = json.loads(out.read_text())["fits"]
    assert (fit["judge"], fit["pairs"]) == ("labels", 60)


def test_a_judge_behind_an_endpoint_and_its_ratings(pairs: Path, tmp_path: Path) -> None:
    """The judge says A whatever stands there: its verdicts cancel, so that only the labels have weights."""

    def says(number: int, body: dict) -> Answer:
        rated = "You describe" in body["messages"][0]["content"]
        return Answer('{"ratings": {"polite": [2, 1]}}' if rated else '{"verdict": "A"}')

    kept = tmp_path / "ratings.jsonl"
    with serving(says) as stub:
        asked = ["--judge", f"{stub.url}#j", "--rate-with", f"{stub.url}#r", "--property", "polite"]
        ended = truing(
            ["audit", "dissection", pairs, *asked, "--keep-ratings", kept, "--draws", "3", "--json"],
            tmp_path / "p",
        )
        assert ended.code == 0, ended.err
        assert len(stub.requests) == 60 + 120
    found = json.loads(ended.out)
    assert found["properties"] == ["polite", "lengthy"]
    assert [fit["judge"] for fit in found["fits"]] == ["labels"]
    assert found["undecided"] == 60
    ended = truing(["audit", "dissection", pairs, "--ratings", kept, "--draws", "3", "--json"], tmp_path / "p")
    again = json.loads(ended.out)
    assert again["fits"][0]["weights"] == found["fits"][0]["weights"]


def test_mistakes(pairs: Path, tmp_path: Path) -> None:
    for options, message in (
        (["--how", "mcmc"], "there is no fit 'mcmc'"),
        (["--property", "polite"], "name one with --rate-with"),
        (["--keep-ratings", tmp_path / "r"], "nothing to keep"),
        (["--judge", "http://127.0.0.1:9/v1"], "needs the name of its model"),
    ):
        ended = truing(["audit", "dissection", pairs, *options], tmp_path / "p")
        assert ended.code == 2
        assert message in ended.err.replace("\n", " ")


def test_a_dry_run_asks_nothing(pairs: Path, tmp_path: Path) -> None:
    ended = truing(
        ["audit", "dissection", pairs, "--judge", "http://127.0.0.1:9/v1#m", "--dry-run", "--json"], tmp_path / "p"
    )
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["questions to judges"] == 120


def test_the_packaged_model_as_a_judge_of_real_pairs(shared_data: Path, tmp_path: Path) -> None:
    data = shared_data / "alpaca-eval" / "hard" / "phi-2.json.gz"
    ended = truing(
        ["audit", "dissection", data, "--judge", "truing/tiny", "--sample", "12", "--draws", "3", "--json"],
        tmp_path / "p",
    )
    assert ended.code == 0, ended.err
    assert {fit["judge"] for fit in json.loads(ended.out)["fits"]} >= {"truing/tiny"}
