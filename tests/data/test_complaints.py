"""Complaints: found in dialogues, read from rows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from truing.data.complaints import complaints, is_complaint
from truing.data.layouts import LAYOUTS
from truing.data.layouts.hh import turns
from truing.data.rows import RowError, Skip

TALK = [
    {"role": "user", "content": "Name a fruit."},
    {"role": "assistant", "content": "A carrot."},
    {"role": "user", "content": "That is not a fruit."},
    {"role": "assistant", "content": "An apple."},
    {"role": "user", "content": "Thank you."},
]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("That is not what I asked.", True),
        ("no, I meant the other one", True),
        ("You didn't answer my question", True),
        ("Wrong. It is 12.", True),
        ("No problem, thanks!", False),
        ("Thank you.", False),
        ("What is that?", False),
    ],
)
def test_how_complaints_begin(said: str, expected: bool) -> None:
    assert is_complaint(said) == expected


def test_the_answer_before_a_complaint_is_found_once() -> None:
    (row,) = complaints([TALK, TALK])
    assert row == {"prompt": TALK[:1], "rejected": TALK[1:2], "complaint": "That is not a fruit."}


def converted(row: dict[str, Any]) -> Any:
    (found,) = LAYOUTS.get("complaints").convert(row)
    return found


def test_rows_become_unwanted_answers() -> None:
    assert converted({"prompt": "Name a fruit.", "rejected": " A carrot.", "complaint": "No."}) == {
        "prompt": "Name a fruit.",
        "completion": " A carrot.",
        "complaint": "No.",
    }
    talk = converted({"prompt": TALK[:1], "rejected": TALK[1:2], "complaint": TALK[2]})
    assert (talk["completion"], talk["complaint"]) == (TALK[1:2], "That is not a fruit.")


def test_content_users_are_left_out() -> None:
    row = {"prompt": "Hi", "rejected": " Hello", "complaint": "Thanks", "satisfied": True}
    assert converted(row) == Skip("the user was content")


def test_a_complaint_is_said_in_words() -> None:
    with pytest.raises(RowError, match="`complaint` is"):
        converted({"prompt": "Hi", "rejected": " Hello", "complaint": 3})


def test_real_dialogues_hold_some(shared_data: Path) -> None:
    with gzip.open(shared_data / "hh-rlhf" / "harmless-base-test.jsonl.gz", "rt", encoding="utf-8") as file:
        dialogues = [turns(json.loads(line)["chosen"], "chosen") for line in file]
    found = list(complaints(dialogues))
    assert 20 < len(found) < len(dialogues) / 10
    assert all(row["prompt"][-1]["role"] == "user" and row["rejected"][0]["content"] for row in found)
