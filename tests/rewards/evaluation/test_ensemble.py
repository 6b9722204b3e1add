"""Several reward models as one."""

from __future__ import annotations

import numpy as np
import pytest

from truing.rewards.evaluation.ensemble import Ensemble, ensemble_answers, ensemble_pairs
from truing.rewards.evaluation.pairs import JudgedPairs


def judged(rewards: list[tuple[float, float]], ids: str) -> JudgedPairs:
    lengths = np.array([(ord(name), 1) for name in ids])
    return JudgedPairs(list(ids), np.array(rewards), lengths, [name.upper() for name in ids])


def test_members_are_put_on_one_scale() -> None:
    """(0, 2) and (110, 90): deviations 1 and 10, mean 5.5; shifted and scaled they are −5.5, 5.5 and 5.5, −5.5."""
    found = Ensemble.of({"a": np.array([0.0, 2.0]), "b": np.array([110.0, 90.0])})
    assert found.rewards == pytest.approx(np.array([[-5.5, 5.5], [5.5, -5.5]]))


def test_aggregates_by_hand() -> None:
    """Members of equal spread 1: −1, 1 | −1, 1 | 1, −1. Mean ∓⅓, median ∓1, least −1, std 2/√3."""
    members = {"a": np.array([-1.0, 1.0]), "b": np.array([-1.0, 1.0]), "c": np.array([1.0, -1.0])}
    found = Ensemble.of(members).aggregates()
    std = 2 / 3**0.5
    assert found["mean"] == pytest.approx([-1 / 3, 1 / 3])
    assert found["median"] == pytest.approx([-1, 1])
    assert found["min"] == pytest.approx([-1, -1])
    assert found["mean-minus-std"] == pytest.approx([-1 / 3 - std, 1 / 3 - std])


def test_the_median_of_two_is_their_mean_and_left_out() -> None:
    assert set(Ensemble.of({"a": np.arange(2.0), "b": np.arange(2.0)}).aggregates()) == {
        "mean",
        "min",
        "mean-minus-std",
    }


def test_pairs_that_one_member_lacks_are_left_out_and_lengths_follow() -> None:
    one = judged([(1, -1), (2, -2), (0, 0)], "xyz")
    other = judged([(3, -3), (1, -1)], "zx")
    found = ensemble_pairs({"one": one, "other": other})["mean"]
    assert list(found.ids) == ["x", "z"]
    assert found.lengths[:, 0].tolist() == [ord("x"), ord("z")]
    assert list(found.subsets) == ["X", "Z"]
    assert (found.log_odds > 0).all()


def test_a_member_that_says_nothing_does_no_harm() -> None:
    found = ensemble_pairs({"one": judged([(1, -1)], "x"), "flat": judged([(2, 2)], "x")})
    assert found["mean"].log_odds[0] > 0


def test_answers_come_back_by_prompt() -> None:
    found = ensemble_answers({"a": [np.arange(2.0), np.arange(3.0)], "b": [np.arange(2.0), np.arange(3.0)]})
    assert [len(own) for own in found["mean"]] == [2, 3]
    assert ensemble_answers({"a": [np.arange(2.0)]}) == {}
    assert ensemble_pairs({"a": judged([(1, 0)], "x")}) == {}
