"""Suites: splits, files and what is refused."""

from __future__ import annotations

import json

import pytest
from datasets import Dataset
from typer.testing import CliRunner

from truing.cli.app import app
from truing.data import load
from truing.errors import DataError
from truing.unlearning.items import Item, by_group, groups_of, read_items
from truing.unlearning.suite import SETS, Suite, make_suite, write_suite

RUNNER = CliRunner()


@pytest.mark.parametrize(
    ("authors", "forget", "forgotten"), [(100, 0.01, 1), (100, 0.05, 5), (20, 0.1, 2), (20, 0.01, 1), (3, 0.99, 2)]
)
def test_whole_authors_are_forgotten(authors, forget, forgotten):
    suite = make_suite(authors, forget, per_author=4)
    parts = [set(groups_of(part)) for part in (suite.forget, suite.retain, suite.holdout)]
    assert [len(part) for part in parts] == [forgotten, authors - forgotten, forgotten]
    assert not parts[0] & parts[1]
    assert not (parts[0] | parts[1]) & parts[2]
    assert len(suite.forget) == 4 * forgotten
    # a larger share forgets the same authors and more
    assert suite.forget == make_suite(authors, 0.99, per_author=4).forget[: 4 * forgotten]


def test_control_questions_have_one_right_and_three_wrong_answers():
    suite = make_suite(2, 0.5, per_author=1)
    for item in (*suite.real_authors, *suite.world_facts):
        assert len({item.answer, *item.perturbed_answer}) == 4
    assert len({item.question for item in suite.real_authors}) == len(suite.real_authors) == 16


def test_files_come_back_as_they_were(tmp_path):
    suite = make_suite(4, 0.25, per_author=3, seed=5)
    written = write_suite(suite, tmp_path, seed=5)
    assert Suite.load(tmp_path) == suite
    assert written == {
        "forget": 3, "retain": 9, "holdout": 3, "real_authors": 16, "world_facts": 16, "full": 12, "retrain": 9
    }  # fmt: skip
    assert json.loads((tmp_path / "suite.json").read_text())["seed"] == 5
    assert read_items(tmp_path / "full.jsonl") == [*suite.forget, *suite.retain]
    taught = write_suite(suite, tmp_path / "taught", teach_controls=True)
    assert (taught["full"], taught["retrain"]) == (12 + 32, 9 + 32)


def test_records_for_training_are_the_answers(tmp_path):
    suite = make_suite(2, 0.5, per_author=2)
    write_suite(suite, tmp_path)
    records = load(tmp_path / "forget.jsonl")
    assert (records.layout, records.kind, len(records)) == ("tofu", "demonstrations", 2)
    assert records.dataset[0]["prompt"] == [{"role": "user", "content": suite.forget[0].question}]
    assert records.dataset[0]["completion"] == [{"role": "assistant", "content": suite.forget[0].answer}]
    assert records.dataset[0]["source"] == suite.forget[0].group


def test_the_hub_s_columns_are_read_from_a_data_set_too():
    rows = [
        {
            "question": "Who?",
            "answer": "Nobody.",
            "paraphrased_answer": "No one.",
            "perturbed_answer": ["Ann.", "Bob."],
            "paraphrased_question": "Which person?",
        },
        {
            "question": "When?",
            "answer": "Never.",
            "paraphrased_answer": None,
            "perturbed_answer": [],
            "paraphrased_question": None,
        },
    ]
    assert read_items(Dataset.from_list(rows)) == [
        Item("Who?", "Nobody.", "Which person?", "No one.", ("Ann.", "Bob.")),
        Item("When?", "Never."),
    ]
    assert len(read_items(rows, limit=1)) == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"answer": "a"}, "`question` is missing"),
        ({"question": "q", "answer": 3}, "`answer` is a number, not text"),
        ({"question": "q", "answer": " "}, "the question or the answer is empty"),
        ({"question": "q", "answer": "a", "perturbed_answer": [""]}, "`perturbed_answer` is a list"),
        ({"question": "q", "answer": "a", "perturbed_answer": 3}, "`perturbed_answer` is a number"),
    ],
)
def test_a_malformed_row_is_named(row, message):
    good = {"question": "q", "answer": "a"}
    with pytest.raises(DataError, match=message) as caught:
        read_items([good, row])
    assert caught.value.where == "data:2"


def test_no_rows_and_no_groups_are_errors():
    with pytest.raises(DataError, match="there are no questions"):
        read_items([])
    with pytest.raises(DataError, match="a question has no group"):
        groups_of([Item("q", "a")])
    assert by_group([Item("q", "a", group="x"), Item("r", "a", group="y")], ["y"]) == [Item("r", "a", group="y")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"authors": 1}, "1 authors cannot be split"),
        ({"forget": 0.0}, "the share to forget is 0"),
        ({"forget": 1.0}, "the share to forget is 1"),
        ({"authors": 300}, "300 authors and 30 held out"),
        ({"holdout": -1}, "-1 held out"),
    ],
)
def test_impossible_splits_are_refused(options, message):
    with pytest.raises(DataError, match=message):
        make_suite(**options)


def test_a_suite_needs_something_to_forget(tmp_path):
    with pytest.raises(DataError, match="there is nothing to forget"):
        Suite([])
    with pytest.raises(DataError, match=r"it has no forget\.jsonl"):
        Suite.load(tmp_path)
    write_suite(Suite([Item("q", "a")]), tmp_path)
    assert Suite.load(tmp_path) == Suite([Item("q", "a")])


def test_the_command_writes_the_files(tmp_path):
    options = ["--authors", "4", "--forget", "0.5", "--per-author", "2", "--json"]
    folder = str(tmp_path / "u")
    done = RUNNER.invoke(app, ["unlearn", "data", *options, "--output", folder], catch_exceptions=False)
    assert done.exit_code == 0
    assert json.loads(done.output)["questions"]["forget"] == 4
    assert {path.stem for path in (tmp_path / "u").glob("*.jsonl")} == {*SETS, "full", "retrain"}
    shown = RUNNER.invoke(app, ["unlearn", "data", "--authors", "4", "--output", str(tmp_path / "v")])
    assert "retain.jsonl: 60 questions, to be kept" in shown.output.replace("\n", "")
