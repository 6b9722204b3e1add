"""Phrases in prompts on real items, with the packaged model and with a model that a server plays."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.rewards.judges.stub import Answer, serving
from truing.audit.stimulus import audit_stimulus
from truing.cli.app import app
from truing.errors import DataError, RecipeError
from truing.prompting.named import transform_of
from truing.prompting.stimuli import STIMULI, neutral
from truing.prompting.tasks import Item, Task, written_right
from truing.prompting.transform import Shown

COLOURS = Task("colours", "Name the colour.", tuple(Item(thing, "red") for thing in "abcdef"))


@pytest.fixture(scope="module")
def phrases(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve phrases of SST-2 with the words of their labels."""
    with gzip.open(shared_data / "sst2/train.tsv.gz", "rt") as source:
        rows = [row for row, _ in zip(csv.reader(source, delimiter="\t"), range(13), strict=False)][-12:]
    path = tmp_path_factory.mktemp("sst2") / "sentiment.jsonl"
    words = {"0": "negative", "1": "positive"}
    path.write_text("".join(json.dumps({"sentence": s, "label": words[label]}) + "\n" for s, label in rows))
    return path


def run(*arguments: str):
    return CliRunner().invoke(app, ["audit", "stimulus", *arguments])


def test_the_command_on_real_phrases_with_the_packaged_model(phrases: Path) -> None:
    columns = ("--column", "input=sentence", "--column", "answer=label", "--instruction", "Positive or negative?")
    arguments = ("truing/tiny", "--data", str(phrases), *columns, "--choose", "--shots", "2")
    ended = run(*arguments, "--phrase", "doubt-1", "--phrase", "Please be quick.", "--json")
    assert ended.exit_code == 0, ended.output
    found = json.loads(ended.stdout)
    assert [phrase["name"] for phrase in found["phrases"]] == ["doubt-1", "Please be quick."]
    assert found["score"]["n"] == found["phrases"][0]["change"]["n"] == 10
    assert set(found["chosen"]) == {"sentiment"}
    planned = run(*arguments, "--dry-run")
    assert "'phrases': 10, 'answers': 210" in planned.stdout


def test_a_server_that_obeys_one_phrase_is_found_out(tmp_path: Path) -> None:
    """It is right only where it is asked with "Please be quick."; controls do not help it."""

    def answers(number: int, body: dict) -> Answer:
        asked = body["messages"][-1]["content"]
        return Answer("Red, I think." if "Please be quick." in asked or "Input: a" in asked else "Blue.")

    data = tmp_path / "colours.jsonl"
    rows = [
        {"task": name, "instruction": "Name the colour.", "input": f"{thing} {name}", "answer": "red"}
        for name in ("one", "two")
        for thing in "abcdefgh"
    ]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with serving(answers) as stub:
        ended = run(
            f"{stub.url}#m", "--data", str(data), "--phrase", "Please be quick.", "--phrase", "doubt-2", "--json"
        )
    assert ended.exit_code == 0, ended.output
    quick, doubt = json.loads(ended.stdout)["phrases"]
    assert quick["change"]["value"] == quick["beyond_control"]["value"] == pytest.approx(7 / 8)
    assert doubt["change"]["value"] == 0.0
    assert json.loads(ended.stdout)["chosen"] == {"one": "Please be quick.", "two": "Please be quick."}


def test_examples_stand_in_front_and_are_not_scored() -> None:
    seen: list[str] = []

    def right(shown, task):
        seen.extend(str(one.prompt) for one in shown)
        return [1.0] * len(shown)

    audit_stimulus([COLOURS], ["doubt-1"], right, shots=1)
    assert len(seen) == 3 * 5
    assert seen[0] == "Name the colour.\n\nInput: a\nOutput: red\n\nInput: b\nOutput:"
    assert seen[5].startswith(f"Name the colour. {STIMULI['doubt-1']}\n\nInput: a")


def test_an_answer_is_right_if_its_first_line_begins_with_it() -> None:
    shown = [Shown.of("?", {"answer": "New York"})] * 4
    said = ["\nnew york, of course", "York", "I say New York", ""]
    assert written_right(lambda asked, draw: said, shown) == [1.0, 0.0, 0.0, 0.0]


def test_neutral_sentences_are_as_long() -> None:
    for text in (*STIMULI.values(), "one two " * 60):
        assert len(neutral(text).split()) == len(text.split())
    assert len(STIMULI) == 10


def test_what_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="'doubt-9' is no stimulus"):
        transform_of({"name": "negative-prompt", "stimulus": "doubt-9"})
    with pytest.raises(DataError, match="'colours' has 6 items"):
        audit_stimulus([COLOURS], ["doubt-1"], lambda shown, task: [], shots=3)
    path = tmp_path / "t.jsonl"
    path.write_text('{"input": "a", "label": "b"}\n')
    assert "there is no answer in the column 'answer'" in str(run("truing/tiny", "--data", str(path)).exception)
    wrong = run("truing/tiny", "--data", str(path), "--column", "answers=label")
    assert "'answers=label' renames nothing" in str(wrong.exception)
    bare = run("truing/tiny", "--data", str(path), "--column", "answer=label")
    assert "a task has no instruction" in str(bare.exception)
