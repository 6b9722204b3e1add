"""The functions of the audits, with numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.diagnostics.ches import ches, without_highest
from truing.diagnostics.overoptimisation import indicators
from truing.diagnostics.positions import kl_by_position
from truing.diagnostics.ranking import ranking
from truing.diagnostics.three_d import neither_mass, parting, three_d
from truing.errors import TruingError

# -- CHES ------------------------------------------------------------------------------------------------


def test_ches_by_hand() -> None:
    """H_w = (2, 4) over 2 tokens, H_l = (3, 3) over 3.

    Raw: 2·3 + 4·3 − (4 + 16) = −2. Per token: (1, 2)·(1, 1) − 5 = −2. With H_l = (9, 9): raw 34, per token 4.
    """
    chosen, tokens, others = np.array([[2.0, 4.0]] * 2), np.array([2, 2]), np.array([3, 3])
    rejected = np.array([[3.0, 3.0], [9.0, 9.0]])
    assert ches(chosen, rejected, tokens, others, normalised=False).tolist() == [-2.0, 34.0]
    assert ches(chosen, rejected, tokens, others).tolist() == pytest.approx([-2.0, 4.0])


def test_ches_is_zero_for_equal_answers_and_lowest_for_opposite_ones() -> None:
    states, one = np.array([[1.0, 2.0]]), np.array([1])
    assert ches(states, states, one, one).tolist() == [0.0]
    assert ches(states, -states, one, one).tolist() == [-10.0]


def test_the_highest_are_left_out_and_ties_stay_in_order() -> None:
    assert without_highest(np.array([3.0, 1.0, 2.0, 1.0]), 0.5).tolist() == [1, 3]
    assert without_highest(np.zeros(4), 0.25).tolist() == [0, 1, 2]
    assert without_highest(np.array([1.0, 2.0]), 0.0).tolist() == [0, 1]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.floats(0, 0.9))
def test_nothing_that_stays_is_above_what_goes(values: list[float], share: float) -> None:
    scores = np.array(values)
    if round(share * len(scores)) == len(scores):
        return
    kept = without_highest(scores, share)
    gone = np.setdiff1d(np.arange(len(scores)), kept)
    assert len(gone) == round(share * len(scores))
    assert not len(gone) or scores[kept].max() <= scores[gone].min()


def test_what_cannot_be_filtered_is_refused() -> None:
    with pytest.raises(TruingError, match="leaves none of 3 pairs"):
        without_highest(np.zeros(3), 0.9)
    with pytest.raises(TruingError, match="pair 1 are not finite"):
        without_highest(np.array([0.0, math.nan]), 0.5)


# -- ranking accuracy ------------------------------------------------------------------------------------


def test_ranking_by_hand() -> None:
    """Four pairs: right and right, broken, corrected, wrong and wrong."""
    found = ranking(np.array([1.0, -1.0, 2.0, -3.0]), np.array([2.0, 1.0, -5.0, -30.0]), 0.9, 0.1)
    assert found.right.tolist() == [True, False, True, False]
    assert (found.accuracy.value, found.accuracy_before.value) == (0.5, 0.5)
    assert (found.corrected.value, found.corrected.n) == (0.5, 2)
    assert (found.broken.value, found.broken.n) == (0.5, 2)
    # log(0.9/0.1)/0.1 = 21.97 nats are enough for a reference that is wrong by 5, not by 30.
    assert found.idealised.tolist() == [True, True, True, False]
    assert found.difficulty.tolist() == [-2.0, -1.0, 5.0, 30.0]
    # The paper's example: c = 5 needs a loss of 0.474, c = 30 one of 0.049.
    assert found.needed_loss[2:].tolist() == pytest.approx([0.4741, 0.0486], abs=1e-4)


def test_certain_labels_make_every_pair_right_at_the_optimum() -> None:
    found = ranking(np.zeros(2), np.array([-1e4, 3.0]), 1.0, 0.1)
    assert found.idealised.all()
    assert found.right.all(), "a tie counts as right, as in the paper"


def test_preferences_may_differ_from_pair_to_pair() -> None:
    """log(0.6/0.4) = 0.405 and log(0.9/0.1) = 2.197, against a reference that is wrong by 1."""
    found = ranking(np.zeros(2), np.array([-1.0, -1.0]), np.array([0.6, 0.9]), 1.0)
    assert found.idealised.tolist() == [False, True]


# -- 3D-properties ---------------------------------------------------------------------------------------


def test_properties_by_hand() -> None:
    found = three_d(np.array([-1.0, 3.0]), np.array([-4.0, -2.0]), np.array([0.5, 0.9]), np.array([0.1, 0.3]))
    assert (found.degradation.value, found.drop.value) == (1.0, -3.0)
    assert found.chosen_fell.value == 0.5
    assert found.dispersion.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("left", "right", "at"),
    [([1, 2, 3], [1, 5, 3], 1), ([4], [5], 0), ([1, 2], [1, 2, 9], None), ([1], [1], None)],
)
def test_where_answers_part(left: list[int], right: list[int], at: int | None) -> None:
    assert parting(left, right) == at


def test_probability_of_neither() -> None:
    logps = np.log([0.2, 0.6]), np.log([0.3, 0.4])
    assert neither_mass(*logps).tolist() == pytest.approx([0.5, 0.0], abs=1e-12)


# -- over-optimisation -----------------------------------------------------------------------------------


def test_a_turn_must_last_and_a_spill_counts_by_itself() -> None:
    flat = [0.9] * 6
    risen = indicators([1.0, 2.0, 3.0, 3.0, 1.0, 1.0], flat)
    assert risen is not None
    assert risen.turned
    # Smoothed by halves: 1, 1.5, 2.25, 2.625, 1.8125, 1.40625.
    assert (risen.peak, risen.entropy_peak, risen.entropy) == (3, 2.625, 1.40625)
    falling = indicators([3.0, 2.0, 1.0, 1.0], flat)
    assert falling is not None
    assert not falling.fired, "an entropy that only falls has not turned"
    spilled = indicators([1.0] * 4, [0.9, 0.9, 0.9, 0.8])
    assert spilled is not None
    assert spilled.spilled
    assert not spilled.turned
    assert indicators([1.0, 3.0, 1.0], flat) is None


# -- KL by position --------------------------------------------------------------------------------------


def test_kl_by_position_by_hand() -> None:
    """Log-ratios of log 2 at position 1 give 2 − 1 − log 2 = 0.3069; equal models give 0 elsewhere."""
    own = [np.array([-1.0, -2.0, -2.0, -2.0])] * 6
    other = [np.array([-1.0 + math.log(2), -2.0, -2.0, -2.0])] * 6
    found = kl_by_position(own, other)
    assert [(p.first, p.last) for p in found] == [(1, 1), (2, 2), (3, 4)]
    assert [p.kl.value for p in found] == pytest.approx([1 - math.log(2), 0, 0])
    assert [p.label for p in found] == ["1", "2", "3–4"]


def test_positions_that_few_answers_reach_are_left_out() -> None:
    own = [np.zeros(2)] * 5 + [np.zeros(9)] * 4
    assert [(p.first, p.kl.n) for p in kl_by_position(own, own)] == [(1, 9), (2, 9)]
    assert kl_by_position([], []) == []


def test_an_answer_counts_once_in_a_range() -> None:
    """Positions 3–4: one answer has ratios of log 2 and 0, so that its mean is 0.1534; the others 0."""
    other = [np.zeros(4) for _ in range(5)]
    other[0][2] = math.log(2)
    found = kl_by_position([np.zeros(4)] * 5, other)
    assert found[2].kl.value == pytest.approx((1 - math.log(2)) / 2 / 5)
    assert found[2].kl.n == 5
