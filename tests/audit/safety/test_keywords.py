"""Requests with words for groups: what is asked, what is masked, and the command on real requests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.rewards.judges.stub import Answer, serving
from truing.audit.safety.keyword_axes import AXES, masked, read_axes, with_keyword
from truing.audit.safety.keywords import audit_keywords
from truing.audit.safety.refusal import StringMatch
from truing.cli.app import app
from truing.diagnostics.pc_audit import Axis
from truing.errors import DataError
from truing.prompting.prompts import pc_defense
from truing.prompting.transform import Shown

WEALTH = Axis("wealth", ("rich",), ("poor",))


def run(*arguments: str):
    return CliRunner().invoke(app, ["audit", "keywords", *arguments])


def test_slots_are_filled_and_other_requests_framed() -> None:
    asked = [Shown.of("Help a {keyword} friend.", {"id": "1"}), Shown.of([{"role": "user", "content": "Help."}])]
    filled = with_keyword(asked, "poor")
    assert filled[0].prompt == filled[0].original == "Help a poor friend."
    assert filled[0].context == {"id": "1"}
    assert filled[1].prompt == [{"role": "user", "content": "As someone who is poor: Help."}]
    plain = with_keyword(asked, None)
    assert (plain[0].prompt, plain[1].prompt) == ("Help a friend.", asked[1].prompt)
    # No article stands before a word that may begin with a vowel.
    framed = {
        word: with_keyword(asked, word)[1].prompt
        for axis in AXES
        for word in (*axis.privileged, *axis.marginalised)
    }
    assert framed["old"] == [{"role": "user", "content": "As someone who is old: Help."}]
    with pytest.raises(DataError, match="lacks a place"):
        with_keyword(asked, "poor", "I am {keyword}.")


def test_the_classifier_never_sees_a_keyword() -> None:
    seen: list[str] = []

    class Watching:
        name = "watching"

        def __call__(self, prompts, completions):
            seen.extend([*map(str, prompts), *completions])
            return StringMatch()(prompts, completions)

    def echo(shown, draw=0):
        return [f"Sure, Poor or rich: {one.prompt}" for one in shown]

    audit_keywords(echo, [Shown.of("Help."), Shown.of("Tell me.")], [WEALTH], Watching())
    assert len(seen) == 2 * 2 * 3
    assert not any(word in text.lower() for text in seen for word in ("rich", "poor"))
    assert masked("The poorest are poor.", ["poor"]) == "The poorest are [group]."


def test_gaps_of_a_model_that_goes_by_the_word_close_under_a_defence_that_it_obeys() -> None:
    def biased(shown, draw=0):
        alike = ["all groups" in str(one.prompt) for one in shown]
        return [
            "No." if same else "Sure." if "poor" in str(one.prompt) else "I can't help."
            for one, same in zip(shown, alike, strict=True)
        ]

    found = audit_keywords(
        biased, [Shown.of("Help.")] * 3, [WEALTH], StringMatch(), benign=[Shown.of("Hello.")], defence=pc_defense()
    )
    before, after = found.arms
    assert (before.risky.largest, after.risky.largest) == (1.0, 0.0)
    assert before.benign is not None
    assert before.benign.gaps[0].gap.value == -1.0
    assert before.words == 0
    assert after.words > 50


def test_the_command_on_real_requests_prints_rates_and_no_answers(shared_data: Path, tmp_path: Path) -> None:
    axes = tmp_path / "axes.yaml"
    axes.write_text("wealth: {privileged: [rich], marginalised: poor}\n")
    arguments = [
        "--data", str(shared_data / "advbench/advbench_behaviors.csv"), "--column", "Behavior",
        "--benign", str(shared_data / "xstest/xstest_prompts.csv"), "--benign-column", "prompt",
        "--benign-where", "label=safe", "--axes", str(axes), "--defence", "pc-defense", "--limit", "2",
        "--labelled", str(shared_data / "xstest"),
    ]  # fmt: skip
    ended = run("truing/tiny", *arguments, "--max-new-tokens", "6", "--json")
    assert ended.exit_code == 0, ended.output
    found = json.loads(ended.stdout)
    assert found["refusal"] == "learned"
    assert (found["requests"], found["benign_requests"]) == (2, 2)
    assert found["arms"][1]["risky"]["rates"]["poor"]["n"] == 2
    assert "answers" not in ended.stdout
    planned = run("truing/tiny", *arguments, "--dry-run")
    assert "'keywords': 2, 'answers': 24" in planned.stdout


def test_a_server_that_refuses_one_group_is_found_out(tmp_path: Path) -> None:
    data = tmp_path / "asked.jsonl"
    data.write_text("".join(json.dumps({"prompt": f"Question {n}."}) + "\n" for n in range(8)))

    def answers(number: int, body: dict) -> Answer:
        return Answer("I'm sorry, I can't." if "female" in body["messages"][-1]["content"] else "Of course.")

    with serving(answers) as stub:
        ended = run(f"{stub.url}#m", "--data", str(data))
    assert ended.exit_code == 0, ended.output
    (line,) = [line for line in ended.stdout.splitlines() if "a gap" in line]
    assert "not refused, sex: gap −1" in line
    assert len(AXES) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "cannot be read"),
        ("{}", "no axes"),
        ("wealth: {privileged: [rich]}", "lacks keywords"),
        ("wealth: {privileged: [rich], marginalised: [rich]}", "both sides"),
    ],
)
def test_axes_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "axes.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_axes(path)
