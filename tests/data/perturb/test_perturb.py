"""Perturbations of training records, against what they promise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truing.data import load
from truing.data.perturb import build, perturbed
from truing.data.records import Records
from truing.data.views import view
from truing.errors import DataError, RecipeError

UNPAIRED = [{"prompt": f"p{i}", "completion": f"a{i}", "label": i % 2 == 0} for i in range(20)]


def pairs(count: int) -> Records:
    return load(
        [
            {"prompt": f"p{i}", "chosen": f"good {i}", "rejected": f"bad {i}", "margin": float(i + 1)}
            for i in range(count)
        ]
    )


def rows(records: Records) -> list[dict[str, Any]]:
    return [dict(row) for row in records]


def after(records: Records, *spec: object) -> Records:
    return perturbed(records, build(list(spec)))


@settings(deadline=None)
@given(rate=st.floats(0, 1), seed=st.integers(0, 1000))
def test_exactly_the_share_is_flipped_and_nothing_else_changes(rate: float, seed: int) -> None:
    records = pairs(25)
    changed = after(records, {"flip_labels": {"rate": rate, "seed": seed}})
    flipped = 0
    for old, new in zip(rows(records), rows(changed), strict=True):
        assert (new["id"], new["prompt"]) == (old["id"], old["prompt"])
        if new["chosen"] != old["chosen"]:
            flipped += 1
            assert (new["chosen"], new["rejected"], new["margin"]) == (
                old["rejected"],
                old["chosen"],
                -old["margin"],
            )
        else:
            assert new == old
    assert flipped == round(rate * 25)


def test_flips_are_the_same_every_time_and_a_higher_rate_holds_the_lower_one() -> None:
    records = pairs(40)

    def hit(rate: float, seed: int = 0) -> set[str]:
        changed = after(records, {"flip_labels": {"rate": rate, "seed": seed}})
        return {row["id"] for row in changed if row["chosen"].startswith("bad")}

    assert hit(0.2) == hit(0.2)
    assert len(hit(0.2)) == 8
    assert hit(0.2) < hit(0.4)
    assert hit(0.2) != hit(0.2, seed=1)


def test_flipping_twice_with_the_same_seed_is_the_identity() -> None:
    records = pairs(11)
    flip = {"flip_labels": {"rate": 0.4}}
    assert rows(after(records, flip, flip)) == rows(records)


def test_liked_and_disliked_are_flipped_too() -> None:
    records = load(UNPAIRED)
    changed = after(records, {"flip_labels": {"rate": 0.25}})
    assert sum(a["label"] != b["label"] for a, b in zip(records, changed, strict=True)) == 5


def test_liked_answers_are_dropped_and_disliked_ones_stay() -> None:
    changed = after(load(UNPAIRED), {"drop_liked": {"share": 0.8}})
    assert sum(row["label"] for row in changed) == 2
    assert sum(not row["label"] for row in changed) == 10
    assert "8 of 10 liked answers were dropped" in changed.notes[-1]


def test_pairs_are_read_one_at_a_time_before_liked_ones_are_dropped() -> None:
    changed = after(pairs(10), {"drop_liked": {"share": 0.5}})
    assert changed.kind == "unpaired"
    assert sorted(row["label"] for row in changed) == [False] * 10 + [True] * 5


def test_only_disliked_answers_stay() -> None:
    """Of pairs the rejected, of a ranking the worst, of single answers the disliked; no liked text is left anywhere."""
    changed = after(pairs(3), "only_disliked")
    assert changed.kind == "unwanted"
    assert [row["completion"] for row in changed] == ["bad 0", "bad 1", "bad 2"]
    assert not any("good" in str(value) for row in rows(changed) for value in row.values())
    ranked = load([{"prompt": "p", "completions": ["a", "b", "c"], "scores": [2.0, 1.0, 3.0]}])
    assert [row["completion"] for row in after(ranked, "only_disliked")] == ["b"]
    single = after(load(UNPAIRED), "only_disliked")
    assert [row["completion"] for row in single] == [f"a{i}" for i in range(1, 20, 2)]


def test_only_objectives_that_move_away_can_learn_from_disliked_answers() -> None:
    changed = after(pairs(3), "only_disliked")
    with pytest.raises(
        DataError, match=r"(?s)cannot learn from unwanted data.*an objective that takes unwanted data"
    ):
        view(changed, ["pairs"])


def test_pairs_by_length() -> None:
    records = load(
        [
            {"prompt": "1", "chosen": "long answer", "rejected": "short"},
            {"prompt": "2", "chosen": "brief", "rejected": "a longer one"},
            {"prompt": "3", "chosen": "same", "rejected": "size"},
        ]
    )
    assert [row["prompt"] for row in after(records, {"keep_by_length": {"chosen": "longer"}})] == ["1"]
    assert [row["prompt"] for row in after(records, {"keep_by_length": {"chosen": "shorter"}})] == ["2"]


def test_messages_are_measured_by_what_they_say() -> None:
    def said(text: str) -> list[dict[str, str]]:
        return [{"role": "assistant", "content": text}]

    asked = [{"role": "user", "content": "q"}]
    records = load([{"prompt": asked, "chosen": said("much longer"), "rejected": said("short")}])
    assert len(after(records, {"keep_by_length": {"chosen": "longer"}})) == 1


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ([{"flip_lables": {"rate": 0.1}}], "unknown perturbation 'flip_lables'"),
        ([{"flip_labels": {"rate": 1.5}}], "rate of perturbation 'flip_labels' must be less than or equal to 1"),
        ([{"flip_labels": {"share": 0.5}}], "has no setting 'share'|needs the setting 'rate'"),
        (["flip_labels"], "needs the setting 'rate'"),
        ([{"keep_by_length": {"chosen": "best"}}], "must be 'longer' or 'shorter', not 'best'"),
        ("flip_labels", "perturbations are a list"),
        ([3], "cannot be made of 3"),
    ],
)
def test_mistakes(spec: object, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        build(spec)


def test_what_cannot_be_applied_or_leaves_nothing() -> None:
    with pytest.raises(DataError, match="keep_by_length cannot be applied to unpaired data"):
        after(load(UNPAIRED), {"keep_by_length": {"chosen": "longer"}})
    with pytest.raises(DataError, match="no row is left"):
        after(load([{"prompt": "p", "chosen": "a", "rejected": "b"}]), {"keep_by_length": {"chosen": "longer"}})
    with pytest.raises(DataError, match="flip_labels cannot be applied to demonstrations"):
        after(load([{"prompt": "p", "completion": "a"}]), {"flip_labels": {"rate": 0.5}})
    with pytest.raises(DataError, match="only_disliked cannot be applied to demonstrations"):
        after(load([{"prompt": "p", "completion": "a"}]), "only_disliked")
