"""Critiques that a model writes, or expands from notes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from truing.data import load
from truing.data.records import Records
from truing.errors import DataError
from truing.rewards.judges.critique_data import questions, write_critiques

PAIR = {"prompt": "2 + 2?", "chosen": "4", "rejected": "5", "critique_rejected": "wrong sum"}


class Parrot:
    """Says how long it was asked, and nothing of answers with the word "mute"."""

    name = "parrot"

    def __call__(self, asked: Any, read: Callable[[str], Any]) -> list[Any]:
        return [read("" if "mute" in text else f" {len(text)} ") for text in (q[-1]["content"] for q in asked)]


def records(tmp_path: Path, *rows: dict[str, Any]) -> Records:
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load(str(tmp_path / "in.jsonl"))


def test_notes_are_expanded_and_the_label_is_not_told(tmp_path: Path) -> None:
    first, second = (own[-1]["content"] for own in questions(records(tmp_path, PAIR)))
    assert "Answer:\n4" in first
    assert "noted" not in first
    assert "A reader noted about this answer:\nwrong sum" in second
    assert not any(word in text for text in (first, second) for word in ("chosen", "rejected", "prefer"))


def test_pairs_come_back_with_both(tmp_path: Path) -> None:
    mute = {**PAIR, "chosen": "mute"}
    made = write_critiques(records(tmp_path, PAIR, mute, PAIR), tmp_path / "out" / "pairs.jsonl", Parrot())
    assert (made.pairs, made.expanded, made.invented, made.without) == (2, 2, 2, 1)
    again = load(str(made.path))
    assert again.kind == "pairs"
    row = again.dataset[0]
    asked = [len(own[-1]["content"]) for own in questions(records(tmp_path, PAIR))]
    assert [row["critique_chosen"], row["critique_rejected"]] == [str(length) for length in asked]
    assert row["chosen"] == "4"


def test_nothing_said_and_no_pairs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="said nothing about any pair"):
        write_critiques(records(tmp_path, {**PAIR, "chosen": "mute"}), tmp_path / "o.jsonl", Parrot())
    with pytest.raises(DataError, match="critiques are of pairs, and these are demonstrations data"):
        questions(records(tmp_path, {"prompt": "p", "completion": "c"}))
