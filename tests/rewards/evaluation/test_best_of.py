"""Best of n, by numbers worked out by hand and against all subsets."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.errors import DataError
from truing.rewards.evaluation.best_of import best_of, chances, sizes
from truing.rewards.evaluation.findings import best_of_sentence


def test_two_of_four_by_hand() -> None:
    """Of the 6 pairs out of four, the best is in 3, the second wins 2, the third 1, the last none."""
    assert chances(np.array([9.0, 1.0, 5.0, 3.0]), 2) == pytest.approx([3 / 6, 0, 2 / 6, 1 / 6])


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=6), st.data())
def test_it_is_the_mean_over_all_subsets(proxy: list[int], data: st.DataObject) -> None:
    """Every subset counts alike, and within one all that are tied for best share alike."""
    n = data.draw(st.integers(1, len(proxy)))
    expected = np.zeros(len(proxy))
    subsets = list(itertools.combinations(range(len(proxy)), n))
    for subset in subsets:
        top = [i for i in subset if proxy[i] == max(proxy[j] for j in subset)]
        expected[top] += 1 / len(top) / len(subsets)
    assert chances(np.array(proxy, dtype=float), n) == pytest.approx(expected)


def test_a_proxy_that_is_gold_gains_all_there_is() -> None:
    """Scores 0 to 3: a random answer has 1.5, the better of two on average (1 + 2 + 3 + 2 + 3 + 3)/6, of four 3."""
    gold = [np.array([0.0, 1.0, 2.0, 3.0])] * 3
    found = best_of(gold, gold)
    assert found.n == (1, 2, 4)
    assert [e.value for e in found.gold] == pytest.approx([1.5, 14 / 6, 3.0])
    assert found.share.value == pytest.approx(1)
    assert not found.over_optimised


def test_over_optimisation_is_found() -> None:
    """The proxy's favourite of four is the worst, its second the best: two are better than one, four worse."""
    proxy, gold = [np.array([4.0, 3.0, 2.0, 1.0])] * 20, [np.array([-6.0, 6.0, 0.0, 0.0])] * 20
    found = best_of(proxy, gold)
    # best of 2: ½·(−6) + ⅓·6 = −1; one: 0; four: −6.
    assert [e.value for e in found.gold] == pytest.approx([0.0, -1.0, -6.0])
    assert (found.peak, found.over_optimised) == (1, True)
    assert "worse than picking at random" in best_of_sentence(found)


def test_a_fall_after_a_peak_is_told() -> None:
    """With a bad third: the best of two gains, the favourite of four does not."""
    proxy, gold = [np.array([4.0, 3.0, 2.0, 1.0])] * 20, [np.array([1.0, 6.0, 0.0, -3.0])] * 20
    found = best_of(proxy, gold)
    # one: 1; two: ½·1 + ⅓·6 + 0 = 2.5; four: 1.
    assert [e.value for e in found.gold] == pytest.approx([1.0, 2.5, 1.0])
    assert "Beyond 2 answers the pick gets worse again" in best_of_sentence(found)


def test_the_interval_covers_the_choice_of_prompts() -> None:
    """Gains of 0 and 2 in equal parts over 400 prompts: mean 1, standard error 1/20, interval about ±0.098."""
    proxy = [np.array([1.0, 0.0])] * 400
    gold = [np.array([2.0, -2.0]), np.array([0.0, 0.0])] * 200
    found = best_of(proxy, gold)
    assert found.gain.value == pytest.approx(1.0)
    assert found.gain.high - found.gain.low == pytest.approx(2 * 1.96 / 20, rel=0.08)


def test_sizes_double_and_prompts_with_too_few_answers_are_left_out() -> None:
    assert sizes([5, 5, 9]) == (1, 2, 4, 5)
    assert sizes([8]) == (1, 2, 4, 8)
    answers = [np.arange(4.0), np.arange(4.0), np.arange(2.0)]
    found = best_of(answers, answers)
    assert (found.n, found.prompts, found.left_out) == ((1, 2, 4), 2, 1)


def test_answers_that_are_all_alike_have_no_share() -> None:
    flat = [np.ones(2)] * 3
    assert np.isnan(best_of([np.arange(2.0)] * 3, flat).share.value)
    assert best_of([np.arange(2.0)] * 3, flat).as_dict()["share"]["value"] is None


def test_no_prompts() -> None:
    with pytest.raises(DataError, match="no prompt with several scored answers"):
        best_of([], [])
