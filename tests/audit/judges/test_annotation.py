"""Ratings by a chat model, and in files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.audit.judges.chats import Scripted
from tests.jobs import write_rows
from truing.audit.judges.annotation import Rater, described, read_ratings, write_ratings
from truing.audit.judges.votes import read_votes
from truing.errors import DataError


def exclamations(text: str) -> str:
    """Rates politeness by exclamation marks in the two answers as they stand."""
    answers = re.findall(r"<<< answer \d >>>\n(.*?)\n<<< end", text, re.DOTALL)
    return json.dumps({"ratings": {"polite": [answer.count("!") for answer in answers], "clear": [5, "x"]}})


def test_ratings_belong_to_their_answers_in_whatever_place_they_stood() -> None:
    chat = Scripted(exclamations)
    rater = Rater(chat, described(["polite", "clear"]))
    found = rater(["?"] * 2, ["a!!", "b!!"], ["c", "d"])
    np.testing.assert_array_equal(found[:, 0], [[2, 0], [2, 0]])
    assert np.isnan(found[:, 1]).all()  # 5 is above 3, and x is no number
    assert chat.asked[0].index("a!!") < chat.asked[0].index("<<< answer 2")
    assert chat.asked[1].index("d\n") < chat.asked[1].index("b!!")


@pytest.mark.parametrize("reply", ["", "polite: 2", '{"ratings": 3}', '{"ratings": {"polite": [true, 1]}}'])
def test_replies_that_say_nothing_of_use(reply: str) -> None:
    found = Rater(Scripted(lambda text: reply), described(["polite"]))(["?"], ["a"], ["b"])
    assert np.isnan(found).all()


def test_properties_by_name() -> None:
    assert len(described(None)) == 28  # the length is counted
    with pytest.raises(DataError, match=r"no property 'polit'[\s\S]*did you mean 'polite'"):
        described(["polit"])


def test_ratings_are_read_as_they_were_written(tmp_path: Path) -> None:
    ratings = np.array([[[1.0, 2.0]], [[np.nan, 0.0]]])
    write_ratings(tmp_path / "r.jsonl", ["a", "b"], ["polite"], ratings)
    names, found = read_ratings(tmp_path / "r.jsonl", ["b", "c", "a"])
    assert names == ("polite",)
    np.testing.assert_array_equal(found[:, 0], [[np.nan, 0], [np.nan, np.nan], [1, 2]])


def test_rows_without_ids_are_in_order(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "r.jsonl", [{"kind_chosen": own, "kind_rejected": 0} for own in (1, 2)])
    for ids in (["1", "2"], ["0", "1"], ["b", "a"]):
        np.testing.assert_array_equal(read_ratings(path, ids)[1][:, 0], [[1, 0], [2, 0]])
    with pytest.raises(DataError, match="2 rows of ratings without a column `id`, and 1 pairs"):
        read_ratings(path, ["2"])


def test_an_order_says_nothing_of_pairs_that_were_drawn(tmp_path: Path) -> None:
    """Two rows without ids and two pairs out of four fit by their number alone."""
    pairs = [{"prompt": str(n), "chosen": "yes", "rejected": "no"} for n in range(4)]
    data = write_rows(tmp_path / "d.jsonl", pairs)
    path = write_rows(tmp_path / "r.jsonl", [{"kind_chosen": own, "kind_rejected": 0} for own in (1, 2)])
    votes = read_votes(str(data), sample=2)
    with pytest.raises(DataError, match="cannot go with pairs that were drawn"):
        read_ratings(path, votes.ids, drawn=votes.drawn)
    assert not read_votes(str(data), sample=4).drawn
    named = [{"id": votes.ids[1], "kind_chosen": 5, "kind_rejected": 0}]
    found = read_ratings(write_rows(tmp_path / "n.jsonl", named), votes.ids, drawn=True)[1]
    np.testing.assert_array_equal(found[:, 0], [[np.nan, np.nan], [5, 0]])


def test_an_id_of_zero_is_an_id(tmp_path: Path) -> None:
    """Row 0 is the second line: taken for no id, it would be a pair "2", and pair "0" have no rating."""
    rows = [{"id": own, "kind_chosen": own, "kind_rejected": 0} for own in (1, 0)]
    path = write_rows(tmp_path / "r.jsonl", rows)
    np.testing.assert_array_equal(read_ratings(path, ["0", "1"])[1][:, 0], [[0, 0], [1, 0]])
    write_rows(path, [*rows, {"kind_chosen": 1, "kind_rejected": 0}])
    with pytest.raises(DataError, match="a row has no `id`"):
        read_ratings(path, ["0", "1"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"a": 1}, "there are no ratings"),
        ({"a_chosen": 1}, "the column 'a_rejected' is missing"),
        ({"a_chosen": "good", "a_rejected": 1}, "`a rating` is 'good', not a number"),
        ({"id": "x", "a_chosen": 1, "a_rejected": 1}, "no row has the id of a pair"),
    ],
)
def test_what_is_refused(row: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_ratings(write_rows(tmp_path / "r.jsonl", [row]), ["1"])
