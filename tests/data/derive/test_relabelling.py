"""Reward-augmented pairs and rationales, on rows written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truing.data.derive import PARTS, ask_for, relabelled
from truing.data.derive.rationale import question
from truing.data.sources import load
from truing.errors import DataError


def _records(tmp_path: Path, rows: list[dict]):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load(str(path))


PAIR = {"prompt": "Q?", "chosen": "good", "rejected": "bad", "score_chosen": 8, "score_rejected": 6.5}


def test_every_pair_twice(tmp_path: Path) -> None:
    """Under goal 8.0 the chosen answer wins, under goal 6.5 the rejected one; the margin is 1.5² both times."""
    found = relabelled(_records(tmp_path, [PAIR]), ["reward-augmented"]).dataset
    assert found["prompt"][:] == [ask_for("Q?", 8), ask_for("Q?", 6.5)]
    assert "8.0" in found[0]["prompt"]
    assert "6.5" in found[1]["prompt"]
    assert (found[0]["chosen"], found[0]["rejected"]) == ("good", "bad")
    assert (found[1]["chosen"], found[1]["rejected"]) == ("bad", "good")
    assert found["margin"][:] == [2.25, 2.25]
    assert found["id"][:] == ["1/1", "1/2"]


def test_ties_are_left_out(tmp_path: Path) -> None:
    found = relabelled(_records(tmp_path, [PAIR, {**PAIR, "score_chosen": 6.5}]), ["reward-augmented"])
    assert len(found) == 2
    assert any("1 rows give none" in note for note in found.notes)


def test_scores_are_needed(tmp_path: Path) -> None:
    plain = _records(tmp_path, [{k: v for k, v in PAIR.items() if "score" not in k}])
    with pytest.raises(DataError, match=r"needs the column 'score_chosen'.*no row has one"):
        relabelled(plain, ["reward-augmented"])
    with pytest.raises(DataError, match=r"unknown relabelling 'reward_augmentd'"):
        relabelled(plain, ["reward_augmentd"])


def test_conversations_get_the_goal_in_the_last_question() -> None:
    turns = [
        {"role": "user", "content": "A"},
        {"role": "assistant", "content": "B"},
        {"role": "user", "content": "C"},
    ]
    asked = ask_for(turns, 10)
    assert asked[-1]["content"] == "C\n\n(Write an answer of quality 10.0.)"
    assert asked[:2] == turns[:2]
    assert turns[-1]["content"] == "C"


def test_rationales(tmp_path: Path) -> None:
    rows = [{**PAIR, "id": str(i), "rationale": "It is right." if i % 2 else None} for i in range(40)]
    records = _records(tmp_path, rows)
    part = PARTS.get("rationale")(records, 0)
    assert len(part) == 20
    assert set(part.dataset["completion"]) == {"It is right."}
    # The order of the answers is drawn, so that the letter says nothing; the label is always right.
    letters = [prompt.split("\n\nAnswer ")[-1][0] for prompt in part.dataset["prompt"]]
    assert set(letters) == {"A", "B"}
    for prompt, letter in zip(part.dataset["prompt"], letters, strict=True):
        assert f"Answer {letter}: good" in prompt
        assert f"Answer {letter} is preferred" in prompt
    assert question(rows[0], 0) == question(rows[0], 0)


def test_other_data_is_refused(tmp_path: Path) -> None:
    demonstrations = _records(tmp_path, [{"prompt": "Q", "completion": "A"}])
    with pytest.raises(DataError, match="made from pairs, and these are demonstrations"):
        PARTS.get("met")(demonstrations, 0)
