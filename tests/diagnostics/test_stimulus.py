"""What phrases are worth, by hand."""

from __future__ import annotations

import math

import pytest

from truing.diagnostics.audits import stimulus_effects
from truing.errors import TruingError


def test_gains_by_hand() -> None:
    """Task one: 1/2 to 3/4, a gain of 0.5. Task two: 1/4 to 1/4, none. Together 1/3; changes 1/8 of 8 items.

    Residuals x' − 4/3 x: −1/3, −1/3, 1, 0 with variance (11/9 − 1/36)/3 = 43/108, and −1/3, 0, 0, 0 with 3/108.
    Their sum, divided by 4 and by (3/4)²: 46/243.

    By task: the mean of 0.5 and 0. Task one: residuals x' − 1.5 x are −0.5, −0.5, 1, 0: variance 0.5 (mean 0; sum of
    squares 1.5; over 3). Divided by 4 and by 0.25: 0.5. Task two: all residuals 0. Half width 1.96 · sqrt(0.5)/2.
    """
    plain = [[1, 1, 0, 0], [1, 0, 0, 0]]
    found = stimulus_effects(plain, {"a": [[1, 1, 1, 0], [1, 0, 0, 0]]}, {"a": plain})
    (phrase,) = found.phrases
    assert phrase.gain.value == pytest.approx(1 / 3)
    assert phrase.gain.high - phrase.gain.value == pytest.approx(1.96 * math.sqrt(46 / 243), abs=1e-3)
    by_task = phrase.gain_by_task
    assert by_task.value == pytest.approx(0.25)
    assert by_task.high - by_task.value == pytest.approx(1.96 * math.sqrt(0.5) / 2, abs=1e-3)
    assert (phrase.change.value, phrase.change.n) == (0.125, 8)
    assert phrase.beyond_control == phrase.change
    assert found.mean_of == phrase.gain


def test_a_phrase_that_changes_nothing_gains_nothing() -> None:
    plain = [[1, 0, 1, 0, 1, 0]] * 3
    found = stimulus_effects(plain, {"a": plain, "b": plain})
    assert found.best_of.value == found.dev_selected.value == found.best_of.high == 0.0
    assert found.phrases[0].beyond_control is None


def test_luck_is_no_gain() -> None:
    """Both prompts are right once or three times of four, in all four combinations: ratios 1, 3, 1/3 and 1, mean 4/3.

    That is a gain of a third by task where there is none; together 8 right of 16 became 8.
    """
    low, high = [1, 0, 0, 0], [1, 1, 1, 0]
    (phrase,) = stimulus_effects([low, low, high, high], {"a": [low, high, low, high]}).phrases
    assert phrase.gain_by_task.value == pytest.approx(1 / 3)
    assert phrase.gain.value == pytest.approx(0.0)


def test_where_nothing_is_ever_right_there_is_no_gain() -> None:
    found = stimulus_effects([[0, 0, 0, 0]], {"a": [[1, 1, 0, 0]]})
    assert (found.tasks, found.without_gain) == (0, 1)
    assert math.isnan(found.dev_selected.value)


@pytest.mark.parametrize(
    ("plain", "phrases", "message"),
    [
        ([[1, 0, 1]], {"a": [[1, 0, 1]]}, "task 0 has 3 items"),
        ([[1, 0, 1, 1]], {"a": [[1, 0, 1]]}, "'a' was not scored on the same items"),
        ([[1, 0, 1, -1]], {"a": [[1, 0, 1, 1]]}, "below 0"),
        ([], {"a": []}, "no scores to compare"),
    ],
)
def test_scores_that_do_not_go_together(plain, phrases, message) -> None:
    with pytest.raises(TruingError, match=message):
        stimulus_effects(plain, phrases)
