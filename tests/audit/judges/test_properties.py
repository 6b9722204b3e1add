"""What is counted in place of ratings, on texts whose counts can be read off."""

from __future__ import annotations

import numpy as np
import pytest

from truing.audit.judges.measures import MEASURES
from truing.audit.judges.properties import COUNTED, PROPERTIES, STAND_INS, compared, counted_features, longer


def test_there_are_29_properties_and_stand_ins_are_some_of_them() -> None:
    assert len(PROPERTIES) == 29
    assert {*COUNTED} <= {*PROPERTIES}
    assert len(COUNTED) == 14
    assert {own.measure for own in STAND_INS.values()} <= {*MEASURES}
    assert all(tuple(sorted(own.cuts)) == own.cuts for own in STAND_INS.values())


@pytest.mark.parametrize(
    ("name", "answer", "expected"),
    [
        ("length", "One two three.", 3),
        ("sentences", "One. Two! Three", 2),
        ("format", "# Head\n- one\n* two\n1. three\n| a | b |", 5),
        ("variety", "a b c a b c", 3 / 4),  # abc, bca, cab, abc
        ("long-words", "extraordinary cat sat elephant", 0.5),
        ("sentence-length", "One two. Three four.", 2),
        ("sources", "According to https://a.org, 5% in 1999 [3]", 5),
        ("steps", "First, add. Then, divide. Step 2 follows; therefore it ends.", 4),
        ("limits", "I'm sorry, as an AI I cannot do that.", 3),
        ("polite", "Please wait, thank you.", 2),
        ("friendly", "Hello! Great to see you!", 4),
        ("informal", "Yeah, cool :)", 3),
        ("questions", "Why? How?", 2),
        ("certainty", "Maybe. It is. Perhaps it might be. No.", -3 / 4),
        ("first-person", "I think my cat likes me.", 3),
        ("coverage", "Rain falls.", 0.5),  # asked: why, does, rain, fall -> does, rain, fall; rain comes back
        ("novelty", "why does it rain", 2 / 3),  # (why, does) is in the prompt; (does, it), (it, rain) are new
        ("details", "We met Anna in 1999, at 3.5 degrees", 3),
    ],
)
def test_counts_by_hand(name: str, answer: str, expected: float) -> None:
    prompts = {"coverage": "Why is the rain cold?", "novelty": "Why does rain fall?"}
    assert MEASURES[name].of(prompts.get(name, ""), answer) == pytest.approx(expected)


@pytest.mark.parametrize("name", MEASURES)
def test_empty_texts_are_no_error(name: str) -> None:
    assert np.isfinite(MEASURES[name].of("", ""))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (100, 100, 0),
        (100, 130, -1),  # 100 > 0.7 · 130 = 91, but 100 <= 0.8 · 130 = 104 with a gap of 30
        (100, 145, -1),
        (20, 31, -1),  # 20 <= 0.7 · 31 = 21.7, and 11 words less
        (20, 29, 0),  # a gap of 9
        (400, 360, 1),  # 360 <= 0.9 · 400, and 40 words less
        (400, 365, 0),
        (1, 0, 1),
        (5, 6, 0),
    ],
)
def test_lengths_are_alike_unless_they_are_far_apart(first: int, second: int, expected: int) -> None:
    assert longer(first, second) == expected
    assert longer(second, first) == -expected


def test_features_change_sign_with_the_places() -> None:
    texts = ["Please, please: see https://a.org!", "No."]
    one = counted_features(["Where?"] * 2, texts, texts[::-1])
    np.testing.assert_array_equal(one[0], -one[1])
    named = dict(zip(COUNTED, one[0], strict=True))
    assert named["polite"] == 1
    assert named["supporting-materials"] == 1
    assert named["informal"] == 0


def test_missing_ratings_stay_missing() -> None:
    found = compared(np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 1.0], [np.nan, 1.0]]))
    np.testing.assert_array_equal(found, [1, -1, 0, np.nan])
