"""Questions out of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truing.data.questions import read_questions
from truing.errors import DataError


def _file(folder: Path, *rows: object) -> str:
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_own_rows(tmp_path: Path) -> None:
    (one, two) = read_questions(
        _file(
            tmp_path,
            {"question": "Q?", "answers": ["a", "b"], "wrong": ["c"], "id": 7},
            {"question": "R?", "answer": "5", "aliases": ["five"], "numeric": True},
        )
    )
    assert (one.id, one.answers, one.wrong, one.numeric) == ("7", ("a", "b"), ("c",), False)
    assert (two.id, two.answers, two.numeric) == ("questions.jsonl:2", ("5", "five"), True)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [{"prompt": "Q?"}],
            r"no question with its answer: it has prompt(.|\n)*questions.jsonl:1(.|\n)*TruthfulQA",
        ),
        ([{"question": " ", "answer": "a"}], "is empty"),
        ([{"question": "Q?", "answers": []}], "is empty"),
        ([{"question": "Q?", "answer": "a", "id": 1}, {"question": "R?", "answer": "a", "id": "1"}], "the id '1'"),
    ],
)
def test_what_is_refused(rows: list[object], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_questions(_file(tmp_path, *rows))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_questions(str(tmp_path / "nothing.jsonl"))


@pytest.mark.parametrize(
    ("file", "numeric", "wrong", "passages"),
    [
        ("truthfulqa/TruthfulQA.csv", False, True, False),
        ("gsm8k/test.jsonl", True, False, False),
        ("model-written-evals/ai-risk-human.jsonl.gz", False, True, False),
        ("fine-grained-rlhf/qa_dev_feedback.json.gz", False, False, True),
    ],
)
def test_real_files(file: str, numeric: bool, wrong: bool, passages: bool, shared_data: Path) -> None:
    found = read_questions(str(shared_data / file), limit=20)
    assert len(found) == 20
    assert all(
        one.numeric is numeric and bool(one.wrong) is wrong and bool(one.passages) is passages for one in found
    )


def test_gsm8k_has_the_number(shared_data: Path) -> None:
    assert read_questions(str(shared_data / "gsm8k/test.jsonl"), limit=1)[0].answers == ("18",)
