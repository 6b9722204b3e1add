"""``truing leaderboard`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from truing.cli.app import app

runner = CliRunner()


def run(*arguments: object) -> Any:
    return runner.invoke(app, ["leaderboard", *map(str, arguments)])


@pytest.fixture
def verdicts(tmp_path: Path) -> Path:
    """<big> against two others; answers differ in length, of which nothing depends."""
    outcomes = {"mid": ["A", "A", "B", "tie", "A"], "small": ["A", "A", "A", "A", "B"]}
    rows = [
        {
            "prompt": f"q{number}",
            "a": "an answer" * (1 + number % 2),
            "b": "one" * (1 + number),
            "model_a": "<big>",
            "model_b": name,
            "winner": winner,
        }
        for name, winners in outcomes.items()
        for number, winner in enumerate(winners)
    ]
    file = tmp_path / "verdicts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_a_board_and_its_page(verdicts: Path, tmp_path: Path) -> None:
    html = tmp_path / "board.html"
    result = run(verdicts, "--html", html, "--equal-length")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[1].split()[1] == "<big>"
    assert "written" in lines[-1]
    page = html.read_text(encoding="utf-8")
    assert "&lt;big&gt;" in page
    assert "<big>" not in page
    assert "<svg" in page
    assert "Green: above the mean, red: below" in page


def test_json_has_everything(verdicts: Path) -> None:
    result = run(
        verdicts, "--json", "--control", "length", "--ties", "davidson", "--ridge", "0.1", "--resamples", "5"
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {row["name"] for row in found["rows"]} == {"<big>", "mid", "small"}
    assert found["games"] == 10
    assert set(found["elo"]) == {"<big>", "mid", "small"}
    assert found["tie"] > 0
    assert "length" in found["effects"]


def test_errors_name_the_option(verdicts: Path, tmp_path: Path) -> None:
    assert "did you mean 'style'" in str(run(verdicts, "--control", "styles").exception)
    assert "allowed: half, davidson" in str(run(verdicts, "--ties", "none").exception)
    plain = tmp_path / "plain.jsonl"
    plain.write_text(json.dumps({"prompt": "q", "a": "x", "b": "y", "winner": "A"}) + "\n", encoding="utf-8")
    assert "does not say which models wrote its answers" in str(run(plain).exception)


def test_real_verdicts(shared_data: Path) -> None:
    """The order of the published board, for models that it tells apart."""
    files = [
        shared_data / f"alpaca-eval/hard/{name}.json.gz" for name in ("gpt4", "guanaco-65b", "phi-2", "phi-2-dpo")
    ]
    found = json.loads(run(*files, "--json", "--control", "length").stdout)
    names = [row["name"] for row in found["rows"]]
    assert names[0] == "gpt4"
    assert names[-1] == "phi-2"
    assert names.index("phi-2-dpo") < names.index("text_davinci_003")
    assert found["effects"]["length"]["low"] > 0
    people = json.loads(run(shared_data / "pandalm/testset-v1.json", "--json", "--ties", "davidson").stdout)
    assert people["rows"][0]["name"] == "llama-7b"
