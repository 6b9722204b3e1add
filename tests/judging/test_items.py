"""Pairs of files: whose verdict and whose label, and rows that cannot be understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs import write_rows
from truing.errors import DataError
from truing.judging.answers import read_answers
from truing.judging.items import Item, read_items
from truing.judging.replay import recorded_judge, recorded_verdicts
from truing.judging.summary import Summary, summary

PAIR = {"prompt": "q", "a": "x", "b": "y"}
LLMBAR = {"input": "q", "output_1": "x", "output_2": "y"}


def recorded(items: list[Item]) -> Summary:
    judged = recorded_verdicts(items)
    return summary(items, judged, judge=recorded_judge(items), protocol="recorded", merging="", recorded=True)


def test_a_verdict_is_its_judges_and_a_label_its_givers(tmp_path: Path) -> None:
    """The judge says A twice, people A and B: one agreement of two."""
    rows = [
        {**PAIR, "prompt": str(n), "winner": "A", "judge": "j", "label": label, "labelled_by": "people"}
        for n, label in enumerate("AB")
    ]
    found = recorded(read_items([write_rows(tmp_path / "r.jsonl", rows)]))
    assert found.judge == "j"
    assert found.comparison.wins == 2
    assert {giver: own.accuracy.value for giver, own in found.agreement.items()} == {"people": 0.5}


def test_a_label_alone_is_the_verdict_and_not_compared_with_itself(tmp_path: Path) -> None:
    rows = [{**PAIR, "label": "B", "labelled_by": "people"}]
    found = recorded(read_items([write_rows(tmp_path / "r.jsonl", rows)]))
    assert (found.judge, found.comparison.losses, found.agreement) == ("people", 1, {})
    own = [{**PAIR, "winner": "A", "judge": "j", "label": "A", "labelled_by": "j"}]
    assert recorded(read_items([write_rows(tmp_path / "r.jsonl", own)])).agreement == {}


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (PAIR, {"a": "x", "b": "y"}, "`prompt` is"),
        (PAIR, {**PAIR, "prompt": ["q"]}, "neither a text nor messages"),
        (
            {"prompt": "q", "chosen": "x", "rejected": "y"},
            {"prompt": "q", "chosen": ["x"], "rejected": "y"},
            "`chosen` is",
        ),
        ({"prompt": "q", "chosen": "x", "rejected": "y"}, {"prompt": "q", "chosen": "x"}, "`rejected` is"),
        ({**LLMBAR, "label": 1}, {**LLMBAR, "label": [1]}, "`label` is .*; allowed: 1, 2"),
    ],
)
def test_rows_that_cannot_be_understood(first: dict, second: dict, message: str, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "r.jsonl", [first, second])
    with pytest.raises(DataError, match=rf"(?s){message}.*r\.jsonl:\d"):
        read_items([path])


@pytest.mark.parametrize(
    "row", [{"prompt": "q", "output": ["a", "b"]}, {"prompt": ["q"], "output": "a"}, {"prompt": "q", "output": []}]
)
def test_answers_that_are_no_text(row: dict, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)`output` or its prompt is no text.*r\.jsonl:"):
        read_answers(write_rows(tmp_path / "r.jsonl", [row]))
