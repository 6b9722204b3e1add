"""Variety of answers, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from truing.evaluation.diversity import distinct_share, self_bleu


def test_distinct_by_hand() -> None:
    """2-grams: (1,2) (2,3) | (1,2) (2,4): four in all, three distinct."""
    found = distinct_share([[1, 2, 3], [1, 2, 4]])
    assert found.value == 3 / 4
    assert found.n == 2
    # Without either text the other has two distinct of two: both leave-one-out values are 1, so their spread is 0.
    assert (found.low, found.high) == (0.75, 0.75)


def test_the_jackknife_agrees_with_leaving_texts_out_one_by_one() -> None:
    rng = np.random.default_rng(0)
    texts = [rng.integers(0, 6, size=rng.integers(3, 9)).tolist() for _ in range(12)]
    values = np.array([distinct_share([t for j, t in enumerate(texts) if j != i]).value for i in range(12)])
    half = 1.96 * math.sqrt(11 / 12 * float(((values - values.mean()) ** 2).sum()))
    found = distinct_share(texts)
    assert found.high - found.value == pytest.approx(half)


def test_distinct_of_nothing_is_unknown() -> None:
    assert math.isnan(distinct_share([]).value)
    assert math.isnan(distinct_share([[1], []]).value)


def test_self_bleu_of_identical_and_of_unrelated_texts() -> None:
    assert self_bleu([[1, 2, 3, 4, 5]] * 3) == pytest.approx([1, 1, 1])
    # Nothing is shared: precisions 1/10, 1/8, 1/6, 1/4 after smoothing (1 / (2 n-grams) with 5, 4, 3, 2 n-grams).
    expected = math.exp((math.log(1 / 10) + math.log(1 / 8) + math.log(1 / 6) + math.log(1 / 4)) / 4)
    assert self_bleu([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]) == pytest.approx([expected, expected])


def test_self_bleu_by_hand() -> None:
    """[1 2 3 4] against [1 2 3 9] and [7 7 7 7]: 3/4 of 1-grams, 2/3 of 2-grams, 1/2 of 3-grams, none of one 4-gram."""
    found = self_bleu([[1, 2, 3, 4], [1, 2, 3, 9], [7, 7, 7, 7]])
    assert found[0] == pytest.approx((3 / 4 * 2 / 3 * 1 / 2 * 1 / 2) ** 0.25)


def test_counts_are_clipped_to_the_richest_other_text() -> None:
    """1 stands three times here, and twice at most in another text: 2/3 of 1-grams; 2-gram (1,1) twice, there once."""
    assert self_bleu([[1, 1, 1], [1, 1, 5]], order=2)[0] == pytest.approx(math.sqrt(2 / 3 * 1 / 2))


def test_shorter_texts_pay_for_brevity() -> None:
    """[1 2] against [1 2 3 4]: everything matches, and e^(1 − 4/2) is the penalty."""
    assert self_bleu([[1, 2], [1, 2, 3, 4]], order=2)[0] == pytest.approx(math.exp(-1))


def test_self_bleu_needs_another_text() -> None:
    assert np.isnan(self_bleu([[1, 2]])).all()
    assert np.isnan(self_bleu([[], [1]])[0])
