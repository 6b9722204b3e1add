"""Numeric answers and exact match, against references."""

import gzip
import json
import logging
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rewards.functions.making import made, scores
from truing.errors import DataError, ObjectiveError, RecipeError
from truing.recipe.online import RewardsSection
from truing.rewards.build import build
from truing.rewards.functions.exact_match import normalised

SOLUTION = "She has 3 * 4 = <<3*4=12>>12 eggs.\n#### 12"


def test_numbers_by_hand() -> None:
    answers = ["It is 12.", "12 eggs, not 13", "\\boxed{12.0}", "none", "so\n#### $12.00"]
    assert scores("numeric-answer", answers, {"answer": [SOLUTION] * 5}) == [1.0, 0.0, 1.0, 0.0, 1.0]
    assert scores("gsm8k", ["0.1"], {"right": [0.1]}, column="right") == [1.0]
    assert scores("numeric-answer", ["3.14"], {"answer": [math.pi]}, tolerance=0.01) == [1.0]
    assert scores("numeric-answer", ["99", "98"], {"answer": [100, 100]}, relative=0.01) == [1.0, 0.0]


def test_a_missing_reference_is_masked_and_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = scores("numeric-answer", ["1", "2", "3", "4"], {"answer": [None, "2", "", "no number"]})
    assert [math.isnan(value) for value in found] == [True, False, True, True]
    assert found[1] == 1.0
    assert "3 of 4 answers are not rewarded" in caplog.text
    assert "row 0: it is empty" in caplog.text


def test_a_missing_column_is_an_error() -> None:
    with pytest.raises(DataError, match=r"(?s)reads the column 'answer'.*allowed: anser.*did you mean 'anser'"):
        scores("numeric-answer", ["1"], {"anser": ["1"]})
    with pytest.raises(DataError, match="add the column 'answer' to the data"):
        made("numeric-answer").judge(["p"], ["1"])
    with pytest.raises(DataError, match="has 2 rows for 1 answers"):
        scores("numeric-answer", ["1"], {"answer": ["1", "2"]})


def test_a_reference_may_be_a_message() -> None:
    """As demonstrations of conversations have it."""
    message = [{"role": "assistant", "content": SOLUTION}]
    assert scores("numeric-answer", ["12", "13"], {"completion": [message] * 2}, column="completion") == [1.0, 0.0]
    assert math.isnan(scores("exact-match", ["a"], {"answer": [[{"role": "assistant", "content": None}]]})[0])


def test_one_rule_twice_by_two_names() -> None:
    spec = [{"name": "keywords", "any_of": ["yes"], "as": "agrees"}, {"name": "keywords", "none_of": ["sorry"]}]
    section = RewardsSection.model_validate({"rewards": spec, "combine": "sum"})
    pipeline = build(section)
    assert pipeline.names == ("agrees", "keywords")
    assert pipeline.judge(["p"] * 2, ["yes, sorry", "yes"]).reward.tolist() == [1.0, 2.0]
    renamed = made("numeric-answer", **{"as": "right"})
    assert (renamed.names, renamed.columns) == (("right",), ("answer",))
    assert renamed.judge(["p"], ["1"], columns={"answer": [1]}).reward.tolist() == [1.0]
    with pytest.raises(RecipeError, match=r"(?s)3 is no name of an objective.*rewards\[0\]\.as"):
        made("keywords", **{"any_of": ["a"], "as": 3})


def test_columns_that_a_pipeline_reads() -> None:
    assert made("numeric-answer", column="right").columns == ("right",)
    assert made("exact-match", **{"as": "same"}).names == ("same",)


def test_settings_out_of_bounds() -> None:
    with pytest.raises(ObjectiveError, match=r"(?s)tolerance.*rewards\.rewards\[0\]\.tolerance.*tolerance >= 0"):
        made("numeric-answer", tolerance=-1.0)
    with pytest.raises(ObjectiveError, match=r"auto, hash, boxed or last"):
        made("numeric-answer", find="first")
    with pytest.raises(ObjectiveError, match="case, space, punctuation, articles"):
        made("exact-match", ignore=["colour"])


def test_exact_match_by_hand() -> None:
    answers = ["The Beatles!", "  the   beatles ", "Beatle", "ＢＥＡＴＬＥＳ"]
    assert scores("exact-match", answers, {"answer": ["Beatles"] * 4}) == [1.0, 1.0, 0.0, 1.0]
    assert scores("exact-match", ["a b", "A b"], {"answer": ["a b"] * 2}, ignore=[]) == [1.0, 0.0]
    assert scores("exact-match", ["two"], {"answer": [["2", "two"]]}) == [1.0]
    assert scores("exact-match", ["7"], {"answer": [7]}) == [1.0]


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    ignore = frozenset(("case", "space", "punctuation", "articles"))
    once = normalised(text, ignore)
    assert normalised(once, ignore) == once


@given(st.text(min_size=1, max_size=40))
def test_every_text_is_itself(text: str) -> None:
    assert scores("exact-match", [text], {"answer": [text]}) == [1.0]


def test_real_solutions_are_right_and_their_neighbours_wrong(shared_data) -> None:
    """GSM8K: each solution agrees with itself, and with its number alone; no solution agrees with its number plus 1."""
    lines = (shared_data / "gsm8k" / "test.jsonl").read_text(encoding="utf-8").splitlines()[:300]
    solutions = [json.loads(line)["answer"] for line in lines]
    numbers = [solution.rpartition("####")[2].strip() for solution in solutions]
    columns = {"answer": solutions}
    assert set(scores("numeric-answer", solutions, columns)) == {1.0}
    assert set(scores("numeric-answer", [f"The answer is {number}." for number in numbers], columns)) == {1.0}
    off = [str(int(number.replace(",", "")) + 1) for number in numbers]
    assert set(scores("numeric-answer", off, columns)) == {0.0}


def test_agrees_with_recorded_judgements(shared_data) -> None:
    """Solutions sampled from models, with what the authors of GSM8K judged of them."""
    path = shared_data / "gsm8k" / "example_model_solutions.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(300), strict=False)]
    samples = [(row["ground_truth"], row[size]) for row in rows for size in ("6b_finetuning", "175b_verification")]
    found = scores(
        "numeric-answer",
        [sample["solution"] for _, sample in samples],
        {"answer": [reference for reference, _ in samples]},
    )
    assert found == [float(sample["is_correct"]) for _, sample in samples]
    assert 100 < sum(found) < 500
