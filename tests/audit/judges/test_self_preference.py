"""Judges of their own answers, beside others who judge the same pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.evidence.bugs import claims_of, must_fail, must_hold, planted
from tests.jobs import write_rows
from truing.audit.judges.own_pairs import audit_self_preference
from truing.diagnostics.audits import self_preference
from truing.errors import DataError, TruingError
from truing.judging.items import read_items


def without_reference(judge, reference, **others):
    return self_preference(judge, np.full(len(judge), 0.5), **others)


def other_way_round(judge, reference, **others):
    return self_preference(1 - np.asarray(judge), 1 - np.asarray(reference), **others)


def half_as_wide(judge, reference, **others):
    found = self_preference(judge, reference, **others)
    own = found.difference
    low, high = (own.value + (end - own.value) / 2 for end in (own.low, own.high))
    return replace(found, difference=replace(own, low=low, high=high), p_value=found.p_value**3)


def agreement_with_wins_for_gap(judge, reference, **others):
    found = self_preference(judge, reference, **others)
    return replace(found, gap=found.judge)


BUGS = {
    "self-preference/intervals-cover": [half_as_wide, other_way_round],
    "self-preference/better-answers-are-no-bias": [without_reference, other_way_round],
    "self-preference/fair-judges-are-acquitted": [half_as_wide, without_reference],
    "self-preference/gap-is-equal-opportunity": [agreement_with_wins_for_gap],
}


@pytest.mark.parametrize("name", sorted(BUGS))
def test_claims_hold(name: str) -> None:
    must_hold(name)


@planted(BUGS)
def test_claims_fail_on_planted_bugs(name, bug) -> None:
    must_fail(name, bug)


def test_every_claim_is_here() -> None:
    assert claims_of("self-preference") == set(BUGS)


def test_by_hand() -> None:
    """Own answers win 3 of 4 with the judge and 2 of 4 with the reference; of its 2 all, of the other 2 one of two."""
    found = self_preference([1, 1, 1, 0], [1, 1, 0, 0], authors=["x", "x", "x", "y"])
    assert (found.judge.value, found.reference.value, found.difference.value) == (0.75, 0.5, 0.25)
    assert (found.own.value, found.other.value, found.gap.value) == (1.0, 0.5, 0.5)
    assert {name: own.value for name, own in found.by_author.items()} == pytest.approx({"x": 1 / 3, "y": 0})


def test_pairs_of_one_prompt_count_once() -> None:
    """Fifty copies of one prompt, on which the judge favours itself, and 20 others, on which it does not."""
    judge, reference = [1.0] * 50 + [0.0, 1.0] * 10, [0.0] * 50 + [0.0, 1.0] * 10
    prompts = ["same"] * 50 + [str(number) for number in range(20)]
    found = self_preference(judge, reference, prompts=prompts)
    assert found.difference.n == 21
    assert found.difference.value == pytest.approx(1 / 21)
    assert not found.found
    assert self_preference(judge, reference).found


def test_intervals_without_variation_have_a_width() -> None:
    found = self_preference([1, 1, 0, 0], [1, 1, 0, 0])
    assert found.difference.low < 0 < found.difference.high
    assert found.gap.low < 0 < found.gap.high


@pytest.mark.parametrize(
    ("judge", "reference", "message"),
    [
        ([1], [1, 0], "1 verdicts of the judge, 2 of the reference"),
        ([np.nan], [1], "no pair was judged by both"),
        ([2], [1], "below 0 or above 1"),
    ],
)
def test_what_is_refused(judge, reference, message) -> None:
    with pytest.raises(TruingError, match=message):
        self_preference(judge, reference)


def rows(*, label: bool) -> list[dict]:
    """The judge j says its own answer always, whichever place it has; people every other time."""
    found = []
    for number in range(12):
        own_first = number % 2 == 0
        models = ("j", "x") if own_first else ("x", "j")
        people = "AB"[(number % 4 < 2) != own_first]
        row = {"prompt": str(number), "a": "1", "b": "2", "model_a": models[0], "model_b": models[1]}
        row |= {"judge": "j", "winner": "A" if own_first else "B"}
        found.append(row | ({"label": people, "labelled_by": "people"} if label else {}))
    return [*found, {**found[0], "prompt": "z", "model_a": "x", "model_b": "y"}]


def test_a_file_with_verdicts_and_labels(tmp_path: Path) -> None:
    items = read_items([write_rows(tmp_path / "v.jsonl", rows(label=True))])
    found = audit_self_preference(items, ["j"])
    assert (found.judge, found.reference, found.left_out) == ("j", "people", 1)
    assert (found.found.judge.value, found.found.reference.value) == (1.0, 0.5)
    assert found.found.found
    text = "\n".join(found.sentences())
    assert "difference +50.0 points" in text
    assert "above 0 the judge favours itself" in text


def test_a_reference_in_another_file_and_order(tmp_path: Path) -> None:
    """Other judges saw the answers in the other order; two verdicts of theirs on a pair count by their mean."""
    items = read_items([write_rows(tmp_path / "v.jsonl", rows(label=False))])
    others = [
        {"prompt": str(number), "a": "2", "b": "1", "winner": winner, "judge": "k"}
        for number in range(12)
        for winner in "AB"
    ]
    found = audit_self_preference(items, ["j"], read_items([write_rows(tmp_path / "o.jsonl", others)]))
    assert found.reference == "k"
    assert found.found.reference.value == 0.5


def test_mistakes(tmp_path: Path) -> None:
    items = read_items([write_rows(tmp_path / "v.jsonl", rows(label=False))])
    with pytest.raises(DataError, match="nobody called 'k' has written an answer"):
        audit_self_preference(items, ["k"])
    with pytest.raises(DataError, match="no pair holds an own answer and another's"):
        audit_self_preference(items, ["j", "x", "y"])
    with pytest.raises(DataError, match="its own answers may simply be better"):
        audit_self_preference(items, ["j"])


def test_alpaca_eval_records_no_second_judge(shared_data: Path) -> None:
    """GPT-4 Turbo judged its own answers, and nobody else did."""
    items = read_items([shared_data / "alpaca-eval" / "soft" / "gpt-3.5-turbo-1106.json.gz"])
    with pytest.raises(DataError, match="nobody besides the judge"):
        audit_self_preference(items, ["gpt4_1106_preview"])
