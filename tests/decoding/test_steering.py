"""Steering by payoffs: the part of the model is played by a script, and by the packaged model."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from truing.cli.app import app
from truing.decoding.steering import parse_changes, steer
from truing.errors import DataError
from truing.evidence.claims.gtalign import Frozen, matrix
from truing.rewards.welfare.tagged import Tagged, asking

GAME = matrix(VQ_CQ=(3.0, 4.0), VQ_DA=(2.0, 3.5))


def test_the_model_goes_on_from_the_changed_payoffs() -> None:
    found = steer(Frozen(GAME), "Which?", {"CQ": {"LLM": -2.0}})
    assert (found.before, found.cell, found.response) == ("VQ_CQ", "VQ_DA", "I chose DA.")
    assert Tagged.parse(found.text).payoffs == GAME.shifted({"CQ": {"LLM": -2.0}})
    assert found.text.startswith("<thinking>Is it vague?</thinking>")


def test_without_a_change_nothing_changes() -> None:
    found = steer(Frozen(GAME), "Which?", {})
    assert found.written == found.changed == GAME
    assert found.before == found.cell


def test_the_other_rule() -> None:
    """(5, 0.1): sum 5.1 above 3.5 + 1.0 and product 0.5 below 3.5."""
    game = matrix(DQ_DA=(5.0, 0.1), DQ_AQ=(1.0, 3.5))
    assert steer(Frozen(game), "?", {}, rule="sum").cell == "DQ_DA"
    assert steer(Frozen(game), "?", {}, rule="product").cell == "DQ_AQ"


def test_a_begun_answer_is_not_written_again() -> None:
    begun = f"<thinking>Mine.</thinking><payoff>{GAME.text()}</payoff> and what follows is dropped"
    found = steer(Frozen(matrix()), "?", {}, begun=begun)
    assert found.written == GAME
    assert found.text.startswith("<thinking>Mine.</thinking><payoff>")
    assert "dropped" not in found.text


def test_a_model_that_writes_no_payoffs() -> None:
    with pytest.raises(DataError, match="the model wrote no payoffs"):
        steer(lambda prompt, begun, stop=None: "Hello there.", "?", {})


def test_changes_from_a_command_line() -> None:
    assert parse_changes(["CQ.LLM=-2", "CQ.user=1", "VQ_DA.user=0.5"]) == {
        "CQ": {"LLM": -2.0, "user": 1.0},
        "VQ_DA": {"user": 0.5},
    }
    with pytest.raises(DataError, match=r"'CQ\.LLM' is no change of payoffs"):
        parse_changes(["CQ.LLM"])
    for wrong in ("CQ.LLM=nan", "CQ.model=1", "XX.LLM=1", "CQ=1"):
        with pytest.raises(DataError, match=f"'{wrong}' is no change of payoffs"):
            parse_changes([wrong])


def test_the_question_names_every_cell_and_block() -> None:
    assert all(f"{name}" in asking() for name in GAME.cells)
    assert all(f"<{tag}>" in asking() for tag in ("thinking", "payoff", "analyze", "response"))


def test_the_command_steers_the_packaged_model(tmp_path) -> None:
    """Its weights are what they are: the cell that it goes on from is what changes."""
    begun = tmp_path / "begun.txt"
    begun.write_text(f"<thinking>Vague.</thinking><payoff>{GAME.text()}</payoff>")
    cells = []
    for changes in ([], ["--change", "CQ.LLM=-2"]):
        arguments = ["steer", "truing/tiny", "Which?", "--begun", str(begun), "--max-new-tokens", "4", "--json"]
        ended = CliRunner().invoke(app, [*arguments, *changes])
        assert ended.exit_code == 0, ended.output
        cells.append(json.loads(ended.stdout)["cell"])
    assert cells == ["VQ_CQ", "VQ_DA"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--rule", "vote"], "no rule 'vote'"), (["--begun", "absent.txt"], "no such file")],
)
def test_arguments_that_make_no_sense(arguments: list[str], message: str) -> None:
    ended = CliRunner().invoke(app, ["steer", "truing/tiny", "Which?", *arguments])
    assert isinstance(ended.exception, DataError)
    assert message in str(ended.exception)
