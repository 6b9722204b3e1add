"""``truing prompt`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.rewards.judges.stub import Answer, serving
from truing.cli.app import app
from truing.errors import DataError, RecipeError


def run(*arguments: str):
    return CliRunner().invoke(app, ["prompt", *arguments])


def test_apply_writes_prompts_that_remember_what_was_asked(shared_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "shown.jsonl"
    data = str(shared_data / "stanford-alpaca/seed_tasks.jsonl")
    ended = run("apply", data, "--with", "{name: urial, examples: 1}", "--limit", "3", "-o", str(out), "--json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["changed"] == 3
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert rows[0]["original"][0]["content"].startswith("Is there anything I can eat")
    assert rows[0]["original"][0]["content"] in rows[0]["prompt"]
    assert rows[0]["context"]["completion"].startswith("Yes, you can have 1 oatmeal")
    assert rows[0]["stop"] == ["\n```", "\n# Query"]


def test_compare_answers_the_same_questions_in_two_ways(shared_data: Path) -> None:
    data = str(shared_data / "alpaca-eval/hard/alpaca-7b.json")
    arguments = ("compare", data, "--model", "truing/tiny", "--with", "{name: urial, examples: 1}")
    ended = run(*arguments, "--reward", "sentiment", "--limit", "4", "--max-new-tokens", "12", "--json")
    assert ended.exit_code == 0, ended.output
    plain, urial = json.loads(ended.stdout)["arms"]
    assert plain["change"] is None
    assert urial["change"]["n"] == 4
    assert urial["change"]["value"] == pytest.approx(urial["score"]["value"] - plain["score"]["value"])
    planned = run(*arguments, "--reward", "sentiment", "--limit", "4", "--dry-run")
    assert "4 questions in 2 ways: 8 answers of truing/tiny" in planned.stdout


def test_a_column_without_layout(tmp_path: Path) -> None:
    (tmp_path / "asked.csv").write_text("Behavior,kind\nDo this.,a\nDo this.,b\nDo that.,c\n")
    out = tmp_path / "out.jsonl"
    ended = run("apply", str(tmp_path / "asked.csv"), "--with", "urial", "--column", "Behavior", "-o", str(out))
    assert ended.exit_code == 0, ended.output
    assert [json.loads(line)["context"]["kind"] for line in out.read_text().splitlines()] == ["a", "c"]


def rewriting(number: int, body: dict) -> Answer:
    """Rewrites whatever it is asked, and says that it still asks the same."""
    if "compare" in body["messages"][0]["content"]:
        return Answer('{"same": true}')
    question = body["messages"][-1]["content"].split("\n")[1]
    return Answer(
        json.dumps({"question": f"{question} Say it as a good review would: great, wonderful, excellent."})
    )


def test_search_writes_rows_for_a_rewriter(shared_data: Path, tmp_path: Path, monkeypatch) -> None:
    data, out = str(shared_data / "alpaca-eval/hard/alpaca-7b.json"), tmp_path / "rows.jsonl"
    monkeypatch.setenv("SEARCH_KEY", "a-key")
    monkeypatch.setenv("TRUING_CACHE", str(tmp_path / "cache"))
    with serving(rewriting) as stub:
        arguments = (
            "search",
            data,
            "--rewriter",
            f"{stub.url}#r",
            "-m",
            "truing/tiny",
            "-r",
            "sentiment",
            "-o",
            str(out),
            "--key-from",
            "SEARCH_KEY",
        )
        ended = run(*arguments, "--limit", "3", "--iterations", "3", "--max-tokens", "8", "--json")
        assert ended.exit_code == 0, ended.output
        planned = run(*arguments, "--limit", "3", "--dry-run")
    assert set(stub.keys) == {"Bearer a-key"}
    # Seven principles: 7 at the original and 6 at each of 19 nodes, 121; any of 20 rewrites may be checked.
    plan = "'questions': 3, 'rewrites at most': 363, 'checks at most': 60, 'answers': 63"
    assert plan in planned.stdout
    found = json.loads(ended.stdout)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert found["rows"] == len(rows) > 0
    assert found["gain"]["value"] > 0
    from truing.data import load

    records = load(str(out))
    assert records.kind == "demonstrations"
    assert records.conversational


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("apply", "asked.csv", "-o", "out"), "no way to prompt is named"),
        (("apply", "asked.csv", "-w", "urial", "--column", "behaviour", "-o", "out"), "no prompt in the column"),
        (("compare", "asked.csv", "-m", "truing/tiny", "-w", "urial"), "needs ways to prompt and a reward"),
        (
            ("compare", "asked.csv", "-m", "truing/tiny", "-w", "urial", "-r", "sentiment", "--draws", "2"),
            "at temperature 0 all answers",
        ),
    ],
)
def test_arguments_that_make_no_sense(tmp_path: Path, monkeypatch, arguments, message) -> None:
    (tmp_path / "asked.csv").write_text("Behavior\nDo this.\n")
    monkeypatch.chdir(tmp_path)
    ended = run(*arguments)
    assert isinstance(ended.exception, RecipeError | DataError)
    assert message in str(ended.exception)
