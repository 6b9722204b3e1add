"""``truing guidelines`` as a user types it, with a server that plays the safety-trained model."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from tests.rewards.judges.stub import Answer, serving
from truing.cli.app import app
from truing.errors import DataError, RecipeError


def run(*arguments: str):
    return CliRunner().invoke(app, ["guidelines", *arguments])


def writes(number: int, body: dict) -> Answer:
    asked = body["messages"][-1]["content"]
    if "Janet" in asked:
        return Answer("I would rather not.")
    word = next(word for word in reversed(asked.split()) if word.isalpha() and len(word) > 3)
    return Answer(json.dumps({"risks": [], "guidelines": [f"Mind the {word}.", "Show the steps."]}))


def test_a_library_is_built_asked_and_distilled(shared_data: Path, tmp_path: Path) -> None:
    data, folder = str(shared_data / "gsm8k/test.jsonl"), tmp_path / "guidelines"
    with serving(writes) as stub:
        ended = run(
            "build", data, "-m", f"{stub.url}#safe", "-o", str(folder), "--limit", "12", "--steps", "10", "--json"
        )
    assert ended.exit_code == 0, ended.output
    built = json.loads(ended.stdout)
    assert built["unread"] >= 1
    assert built["questions"] + built["unread"] == 12
    # Each question has three: that there is no risk, its own, and one that all share.
    assert built["written"] == 3 * built["questions"]
    assert built["guidelines"] < built["written"] - built["questions"]
    found = run("retrieve", str(folder), "How many eggs does she sell?", "--k", "3", "--json")
    assert found.exit_code == 0, found.output
    assert len({row["guideline"] for row in json.loads(found.stdout)}) == 3
    rows = tmp_path / "rows.jsonl"
    taught = run("distil", data, "--library", str(folder), "-m", "truing/tiny", "-o", str(rows), "--k", "2",
                 "--limit", "2", "--max-new-tokens", "6", "--json")  # fmt: skip
    assert taught.exit_code == 0, taught.output
    for row in map(json.loads, rows.read_text().splitlines()):
        assert "Mind the" not in json.dumps(row)
        assert row["completion"][0]["role"] == "assistant"
    shown = CliRunner().invoke(
        app,
        ["prompt", "apply", data, "--with", f"{{name: guide-align, library: {folder}}}", "--limit", "1", "-o",
         str(tmp_path / "shown.jsonl")],
    )  # fmt: skip
    assert shown.exit_code == 0, shown.output


def test_what_cannot_be_used(tmp_path: Path) -> None:
    data = tmp_path / "asked.jsonl"
    data.write_text('{"prompt": "How?"}\n')
    with serving(lambda number, body: Answer("no JSON")) as stub:
        ended = run("build", str(data), "-m", f"{stub.url}#safe", "-o", str(tmp_path / "out"))
    assert isinstance(ended.exception, DataError)
    assert "no guideline could be read from 1 replies of safe" in str(ended.exception)
    wrong = run("distil", str(data), "--library", str(tmp_path), "-m", "truing/tiny", "-o", "x", "--least", "1")
    assert isinstance(wrong.exception, RecipeError)
    assert (
        "1 questions to truing/tiny" in run("build", str(data), "-m", "truing/tiny", "-o", "x", "--dry-run").stdout
    )
