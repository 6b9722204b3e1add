"""Pairs across system messages: what they ask for, what is held out, and what cannot be made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.rewards.judges.stub import Answer, serving
from truing.cli.app import app
from truing.data.values.contrast import DEFAULTS, Plan, contrast, message, without_leak
from truing.data.values.taxonomy import Taxonomy, Value, by_rules, compliance, read_taxonomy
from truing.errors import DataError

TEXT = "There are 12 months. Each has 28 days at least. That is all."
ROWS = [{"id": str(n), "prompt": "Months?", "completion": TEXT} for n in range(40)]


def test_rules_by_hand() -> None:
    made = by_rules().applied(TEXT, ("short", "spelled", "greeting", "bare", "running", "upper"))
    assert made == "HELLO! THERE ARE ONE TWO MONTHS."
    assert by_rules().applied(TEXT, ("full", "digits", "direct", "closing", "lines", "lower")) == (
        "there are 12 months.\neach has 28 days at least.\nthat is all.\nhope that helps."
    )


@pytest.mark.parametrize("answer", [TEXT, "One.", "No end", "a 1 b? C! d."])
def test_an_answer_made_by_rules_obeys_what_it_was_made_for(answer: str) -> None:
    taxonomy = by_rules()
    for one in taxonomy.combinations(64, np.random.default_rng(0)):
        if "full" in one and len(answer.split(". ")) < 2:
            continue
        found = compliance(taxonomy, [one], [taxonomy.applied(answer, one)])
        wrong = [name for name, verdicts in found.items() if not all(verdicts) and name != "length"]
        assert not wrong, (one, taxonomy.applied(answer, one))


def test_combinations_are_held_out_and_values_are_not() -> None:
    train, unseen = Plan(by_rules(), held_out=0.3).split()
    assert len(train) == 45
    assert not set(train) & set(unseen)
    assert {name for one in unseen for name in one} <= {name for one in train for name in one}


def test_rows_do_not_have_what_is_held_out() -> None:
    plan = Plan(by_rules(), default_share=0.0)
    train, unseen = plan.split()
    assert {tuple(row["values"]) for row in contrast(plan, ROWS)} <= set(train)
    assert {tuple(row["values"]) for row in contrast(plan, ROWS, unseen=True)} <= set(unseen)


def test_each_answer_is_rejected_under_the_other_messages() -> None:
    rows = list(contrast(Plan(by_rules(), default_share=0.0), ROWS[:1]))
    assert len(rows) == 6
    assert len({row["id"] for row in rows}) == 6
    chosen = {row["prompt"][0]["content"]: row["chosen"][0]["content"] for row in rows}
    assert len(chosen) == 3
    for row in rows:
        assert row["rejected"][0]["content"] in set(chosen.values()) - {row["chosen"][0]["content"]}


def test_default_messages() -> None:
    rows = [row for row in contrast(Plan(by_rules(), default_share=0.9), ROWS) if not row["values"]]
    assert 30 <= len(rows) <= 40
    told = {row["prompt"][0]["content"] if row["prompt"][0]["role"] == "system" else "" for row in rows}
    assert told == set(DEFAULTS)
    assert all(row["chosen"][0]["content"] == TEXT for row in rows)


def test_values_stand_in_any_order() -> None:
    one = by_rules().combinations(1, np.random.default_rng(0))[0]
    assert len({message(by_rules(), one, np.random.default_rng(n)) for n in range(20)}) > 10


def test_quotations_of_the_message_are_stripped() -> None:
    system = "Write to a child of six who likes trains."
    assert without_leak("As I write to a child of six, listen. Trains are long.", system) == "Trains are long."
    assert (
        without_leak("A child of six asked. Trains are long.", system) == "A child of six asked. Trains are long."
    )


def test_a_model_answers() -> None:
    asked: list[tuple[str, str]] = []

    def answer(questions):
        asked.extend(questions)
        return [None if "number" in system else f"{system} to you" for system, _ in questions]

    rows = list(contrast(Plan(by_rules(), default_share=0.0), ROWS[:3], answer))
    assert len(asked) == 9
    assert all(row["prompt"][0]["content"] for row in rows)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: Plan(by_rules(), sets=1), "1 combinations an instruction"),
        (lambda: Plan(by_rules(), held_out=1.0), "held_out is 1"),
        (lambda: Plan(by_rules(), most=3).split(), "2 combinations are left"),
        (lambda: Taxonomy({}), "no dimensions"),
        (lambda: Taxonomy({"a": (Value("x", "X."),)}), "leaves no choice"),
        (lambda: Taxonomy({"a": (Value("x", "X."), Value("x", "X."))}), "'x' is there twice"),
        (lambda: by_rules().combinations(0, np.random.default_rng(0)), "0 combinations"),
        (
            lambda: list(
                contrast(Plan(Taxonomy({"a": (Value("x", "X."), Value("y", "Y."))}), 2, held_out=0.0), ROWS)
            ),
            "no rule gives answers the value",
        ),
    ],
)
def test_what_cannot_be_made(change, message: str) -> None:
    with pytest.raises(DataError, match=message):
        change()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a, b]", "no mapping"),
        ("style: formal", "no values with a sentence"),
        ("a: {b: [", "neither YAML nor JSON"),
    ],
)
def test_taxonomies_that_cannot_be_read(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "taxonomy.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_taxonomy(path)
    with pytest.raises(DataError, match="no such file"):
        read_taxonomy(tmp_path / "absent.yaml")


def demonstrations(folder: Path) -> Path:
    path = folder / "demonstrations.jsonl"
    path.write_text("\n".join(json.dumps({"prompt": f"Question {n}?", "completion": TEXT}) for n in range(30)))
    return path


def test_the_command_writes_both_files(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["data", "values", str(demonstrations(tmp_path)), "-o", str(tmp_path / "out")])
    assert ended.exit_code == 0, ended.output
    train, unseen = (
        [json.loads(line) for line in (tmp_path / "out" / name).read_text().splitlines()]
        for name in ("train.jsonl", "unseen.jsonl")
    )
    assert not {tuple(row["values"]) for row in train} & {tuple(row["values"]) for row in unseen}
    assert not {row["prompt"][-1]["content"] for row in train} & {row["prompt"][-1]["content"] for row in unseen}


def test_the_command_asks_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUING_CACHE", str(tmp_path / "cache"))
    (tmp_path / "taxonomy.yaml").write_text(
        "style: {formal: Be formal., casual: Be casual.}\nlength: {long: Be long., short: Be short.}"
    )
    arguments = [
        "data",
        "values",
        str(demonstrations(tmp_path)),
        "-o",
        str(tmp_path / "out"),
        "--taxonomy",
        str(tmp_path / "taxonomy.yaml"),
    ]
    arguments += ["--sets", "2", "--held-out", "0", "--limit", "3"]
    with serving(lambda number, body: Answer(f"In short: {body['messages'][0]['content'][::-1]}")) as stub:
        ended = CliRunner().invoke(app, [*arguments, "--url", stub.url, "--model", "m"])
    assert ended.exit_code == 0, ended.output
    rows = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text().splitlines()]
    assert rows
    assert all(
        row["chosen"][0]["content"] == f"In short: {row['prompt'][0]['content'][::-1]}"
        for row in rows
        if row["values"]
    )


def test_rules_do_not_know_other_values(tmp_path: Path) -> None:
    (tmp_path / "taxonomy.yaml").write_text("style: {formal: Be formal., casual: Be casual.}")
    ended = CliRunner().invoke(
        app,
        [
            "data",
            "values",
            str(demonstrations(tmp_path)),
            "-o",
            str(tmp_path),
            "--taxonomy",
            str(tmp_path / "taxonomy.yaml"),
        ],
    )
    assert "no rule gives answers the values of a file" in str(ended.exception)


def test_real_answers(gsm8k: Path, tmp_path: Path) -> None:
    """Of GSM8K: what rules make of real answers obeys its message, but for the length of answers of one sentence."""
    arguments = ["data", "values", str(gsm8k), "-o", str(tmp_path), "--limit", "40"]
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 0, ended.output
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["values"]]
    assert len(rows) > 150
    found = compliance(
        by_rules(), [tuple(row["values"]) for row in rows], [row["chosen"][0]["content"] for row in rows]
    )
    assert all(all(verdicts) for name, verdicts in found.items() if name not in ("length", "layout"))
