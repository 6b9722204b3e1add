"""ROUGE-L recall."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.unlearning.metrics.rouge import common_subsequence, rouge_l_recall, words_of


@pytest.mark.parametrize(
    ("answer", "truth", "expected"),
    [
        ("Ann was born in Oslo.", "Ann was born in Oslo.", 1.0),
        # "ann", "born", "oslo" are common, in this order: 3 of 5
        ("Ann, born 1950, lives in Rome and Oslo", "ANN was born at Oslo!", 3 / 5),
        # the order counts: of "b a" only one
        ("b a", "a b", 1 / 2),
        # recall, not precision: what is said beside does not count
        ("well I think that it is a b", "a b", 1.0),
        ("", "a b", 0.0),
        ("a", "...", 0.0),
    ],
)
def test_by_hand(answer, truth, expected):
    assert rouge_l_recall(answer, truth) == pytest.approx(expected)


def test_words_are_letters_and_digits_in_lower_case():
    assert words_of('"The Silent_River", 17 April; it\'s Älg') == [
        "the", "silent", "river", "17", "april", "it", "s", "älg"
    ]  # fmt: skip


@given(st.lists(st.sampled_from("abc"), max_size=6), st.lists(st.sampled_from("abc"), max_size=6))
def test_common_subsequence_against_all_subsequences(first, second):
    def all_of(words):
        return {picked for size in range(len(words) + 1) for picked in combinations(words, size)}

    assert common_subsequence(first, second) == max(len(both) for both in all_of(first) & all_of(second))
