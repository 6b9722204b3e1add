"""Verdicts that were written down, read again: every row counts, in every order that is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs import write_rows
from truing.errors import DataError
from truing.judging.items import read_items
from truing.judging.measures import agreement_by_order, comparison
from truing.judging.merging import conservative, soft
from truing.judging.presentation import ORDERS
from truing.judging.replay import recorded_judge, recorded_verdicts
from truing.judging.verdict import Opinion

PAIR = {"prompt": "q", "a": "x", "b": "y", "judge": "j"}


def items(tmp_path: Path, *rows: dict):
    return read_items([write_rows(tmp_path / "rows.jsonl", [{**PAIR, **row} for row in rows])])


def order(swapped: bool, first: float | None) -> dict:
    return {"swapped": swapped, "labels": ["A", "B"], "first": first, "abstained": False}


def test_repeated_pairs_keep_their_own_verdicts(tmp_path: Path) -> None:
    """A, A and B of one pair are two wins and a loss, not three times the last one."""
    rows = items(tmp_path, {"winner": "A"}, {"winner": "A"}, {"winner": "B"}, {"prompt": "r", "winner": "B"})
    judged = recorded_verdicts(rows)
    assert [verdict.winner for verdict in judged.verdicts] == ["A", "A", "B", "B"]
    assert judged.details["rows_that_repeat_a_pair"] == 2
    found = judged.details["repeated_pairs_with_one_verdict"]
    assert (found.value, found.n) == (0, 1)


def test_rows_of_both_orders_are_compared(tmp_path: Path) -> None:
    """x against y: A, and y against x: B is the same; another pair is A in both."""
    swapped = {"a": "y", "b": "x"}
    rows = items(
        tmp_path,
        {"winner": "A"},
        {**swapped, "winner": "B"},
        {"prompt": "r", "winner": "A"},
        {"prompt": "r", **swapped, "winner": "A"},
    )
    found = recorded_verdicts(rows).details["pairs_in_rows_of_both_orders_with_one_verdict"]
    assert (found.value, found.n) == (0.5, 2)


def test_a_graded_preference_counts_by_its_share_unless_a_rule_is_given(tmp_path: Path) -> None:
    rows = items(tmp_path, {"winner": "A", "share": 0.7})
    assert recorded_verdicts(rows).verdicts[0].share == pytest.approx(0.7)
    assert recorded_verdicts(rows, conservative).verdicts[0].share == 1.0


def test_recorded_orders_come_back(tmp_path: Path) -> None:
    """A in both; first in both, which was a tie; the latter by mean probability goes to A: (0.9 + 0.4)/2 = 0.65."""
    kept = [
        {"winner": "A", "share": 1.0, "orders": [order(False, 0.8), order(True, 0.1)]},
        {"winner": "tie", "share": 0.5, "orders": [order(False, 0.9), order(True, 0.6)]},
    ]
    rows = items(tmp_path, *({**row, "prompt": str(place)} for place, row in enumerate(kept)))
    found = comparison(recorded_verdicts(rows).verdicts, ["a", "b"])
    assert (found.wins, found.ties, found.consistency.value, found.position_bias.value) == (1, 1, 0.5, 1.0)
    merged = recorded_verdicts(rows, soft).verdicts
    assert [verdict.winner for verdict in merged] == ["A", "A"]
    assert merged[1].share == pytest.approx(0.65)


def test_what_stood_before_the_parts_is_kept(tmp_path: Path) -> None:
    one = {
        "winner": "A",
        "before": [order(False, 0.9), order(True, 0.9)],
        "orders": [order(False, 0.9), order(True, 0)],
    }
    judged = recorded_verdicts(items(tmp_path, one))
    assert judged.details["consistency_before"].value == 0
    assert judged.verdicts[0].consistent


@pytest.mark.parametrize("orders", ["AB", [1], [order(False, 2.0)], [{"swapped": "no"}]])
def test_orders_that_are_none(orders, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`orders`"):
        items(tmp_path, {"winner": "A", "orders": orders})


def test_answers_without_verdicts(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the file holds answers and no verdicts"):
        recorded_judge(items(tmp_path, {}))


def test_one_order_alone_beside_labels() -> None:
    """Labels A, A, B. A first says A, B, B; B first says (of A against B) A, A, A. Merged: A, tie, tie."""
    said = [(1, 0), (0, 0), (0, 0)]
    verdicts = [conservative(ORDERS, [Opinion(first), Opinion(second)]) for first, second in said]
    found = agreement_by_order(verdicts, ["A", "A", "B"])
    assert {name: own.accuracy.value for name, own in found.items()} == pytest.approx(
        {"A first": 2 / 3, "B first": 2 / 3}
    )
    assert agreement_by_order([verdict.swapped() for verdict in verdicts[:1]], ["A"]).keys() == {
        "A first",
        "B first",
    }
    assert agreement_by_order([], []) == {}


def test_people_of_pandalm_say_the_same_wherever_an_answer_stands(shared_data: Path) -> None:
    """Some answers of PandaLM's models are the same text: 84 rows repeat a pair, and 32 pairs stand in both orders."""
    rows = read_items([shared_data / "pandalm" / "testset-v1.json"])
    details = recorded_verdicts(rows).details
    assert details["rows_that_repeat_a_pair"] == 84
    found = details["pairs_in_rows_of_both_orders_with_one_verdict"]
    assert (found.value, found.n) == (1.0, 32)
