"""``truing audit generation`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs import model_folder, truing, write_rows


def test_a_sweep_prints_rates_and_no_answers(tmp_path: Path) -> None:
    model = model_folder(tmp_path / "model")
    data = write_rows(tmp_path / "prompts.jsonl", [{"prompt": "fox"}, {"prompt": "dog"}])
    audit = ["audit", "generation", model, "--data", data, "--max-new-tokens", "2"]
    plan = truing([*audit, "--dry-run", "--json"], tmp_path / "p")
    assert json.loads(plan.out)["answers"] == 196
    ended = truing([*audit, "--rows", tmp_path / "rows.jsonl", "--per-prompt", "3", "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    exploit = found["classifiers"]["string-match"]
    assert exploit["union"]["value"] >= max(one["value"] for one in exploit["settings"].values())
    assert len(exploit["settings"]) == 49
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == found["rows"] > 0
    said = [row["completion"][0]["content"] for row in rows]
    assert all(text not in ended.out for text in said if len(text) > 8)
    assert "--rows-for" in truing([*audit, "--rows-for", "word"], tmp_path / "p").mistake()
    assert "column" in truing([*audit, "--column", "nothing"], tmp_path / "p").mistake()


@pytest.mark.slow
def test_real_requests_and_labels(tmp_path: Path, shared_data: Path) -> None:
    ended = truing(
        [
            *("audit", "generation", "truing/tiny", "--data", shared_data / "advbench/advbench_behaviors.csv"),
            *("--column", "Behavior", "--limit", "2", "--max-new-tokens", "3"),
            *("--labelled", shared_data / "xstest"),
        ],
        tmp_path / "p",
    )
    assert ended.code == 0, ended.err
    assert "at any setting (union)" in ended.out
    assert "gpt4, held out with the prompts: right 0." in ended.out
