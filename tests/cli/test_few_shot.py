"""``truing data few-shot`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.jobs import truing, write_rows

POOL = [{"question": f"{n} + 1", "answer": str(n + 1)} for n in range(5)]


def test_the_packaged_teacher(tmp_path: Path) -> None:
    pool = write_rows(tmp_path / "sums.jsonl", POOL)
    command = ["data", "few-shot", pool, "--teacher", "truing/tiny", "--shots", "2", "--sets", "3", "--least", "0"]
    command += ["-o", tmp_path / "out", "--queries", "3", "--json"]
    plan = truing([*command, "--dry-run"], tmp_path / "p")
    assert json.loads(plan.out) == {"rows": 5, "queries": 3, "answers to score": 9}
    ended = truing(command, tmp_path / "p")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["pairs"] == 3
    rows = [json.loads(line) for line in (tmp_path / "out" / "better.jsonl").read_text().splitlines()]
    assert all(row["prompt"].endswith("Output:") and row["margin"] == 1 for row in rows)


def test_real_sentences(shared_data: Path, tmp_path: Path) -> None:
    command = ["data", "few-shot", shared_data / "sst2" / "train.tsv.gz", "--teacher", "truing/tiny", "--json"]
    command += ["-o", tmp_path / "out", "--shots", "2", "--sets", "2", "--queries", "2", "--limit", "50"]
    ended = truing([*command, "--label", "0=negative", "--label", "1=positive", "--least", "0"], tmp_path / "p")
    assert ended.code == 0, ended.err
    rows = [json.loads(line) for line in (tmp_path / "out" / "worse.jsonl").read_text().splitlines()]
    assert {row["completion"] for row in rows} <= {" negative", " positive"}
    assert len(rows) == 2


def test_mistakes(tmp_path: Path) -> None:
    pool = write_rows(tmp_path / "sums.jsonl", POOL)
    for options, message in (
        (["--columns", "question"], "allowed: QUERY,ANSWER"),
        (["--label", "0"], "names no word"),
        (["--shots", "9"], "--shots"),
    ):
        ended = truing(
            ["data", "few-shot", pool, "--teacher", "truing/tiny", "-o", tmp_path / "out", *options],
            tmp_path / "p",
        )
        assert ended.code == 2
        assert message in ended.err
