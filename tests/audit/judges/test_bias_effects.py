"""Effects of cues by hand, and claims about them on planted bugs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.evidence.bugs import claims_of, must_fail, must_hold, planted
from truing.audit.judges.bias_effects import paired_shift
from truing.diagnostics.audits import judge_bias_bench
from truing.errors import TruingError

NAN = math.nan
BASE = np.array([[1, 1], [1, 0], [0, 0], [1, 1]])
CUE = np.array([[0, 1], [1, 0], [0, 0], [0, 0.5]])
NEUTRAL = np.array([[1, 1], [0, 0], [0, 0], [1, 1]])
KEY = ("authority", "wrong")


def test_four_pairs_by_hand() -> None:
    """Right: 5 of 8 without the cue, 2.5 of 8 with it, 4 of 8 with the neutral text; 5 of 8 verdicts stay."""
    found = judge_bias_bench(BASE, {KEY: CUE}, {KEY: NEUTRAL}, again=BASE)
    own = found.effect("authority")
    assert own.acc_base.value == pytest.approx(5 / 8)
    assert own.acc_injected.value == pytest.approx(2.5 / 8)
    assert own.delta.value == pytest.approx(-2.5 / 8)
    assert own.robust.value == pytest.approx(5 / 8)
    assert own.shift.value == pytest.approx(2.5 / 8)
    assert own.control.value == pytest.approx(1 / 8)
    assert own.net.value == pytest.approx(1.5 / 8)
    assert found.consistent.value == 1
    # First place: 3 of 4 right ones win there, and 2 of 4 in the second.
    place = found.effect("position", "first")
    assert (place.acc_injected.value, place.acc_base.value, place.shift.value) == (0.75, 0.5, 0.25)


def test_interval_of_agresti_and_min_by_hand() -> None:
    """12 gains, 4 losses, 34 others; with the half counts 8/52 and (17 − 64/52)/52²."""
    differences = np.array([1.0] * 12 + [-1.0] * 4 + [0.0] * 34)
    found, p_value = paired_shift(differences)
    error = math.sqrt((17 - 64 / 52) / 52**2)
    assert found.value == pytest.approx(8 / 50)
    assert (found.low, found.high) == pytest.approx((8 / 52 - 1.959964 * error, 8 / 52 + 1.959964 * error))
    assert p_value == pytest.approx(math.erfc(8 / 52 / error / math.sqrt(2)))


def test_an_interval_has_a_width_even_where_nothing_moves() -> None:
    found, p_value = paired_shift(np.zeros(50))
    assert found.low < 0 < found.high
    assert p_value == 1
    assert paired_shift(np.full(3, NAN))[0].n == 0


def test_unread_verdicts_leave_their_pair_out_of_that_effect() -> None:
    table = CUE.copy()
    table[0, 0] = NAN
    own = judge_bias_bench(BASE, {KEY: table}).effect("authority")
    assert own.shift.n == 3
    assert own.robust.n == 3
    base = BASE.astype(float)
    base[1] = NAN
    assert judge_bias_bench(base, {KEY: CUE}).unread.value == 0.25


def test_a_cue_toward_right_answers_counts_the_other_way() -> None:
    found = judge_bias_bench(BASE, {("authority", "right"): CUE}).effect("authority", "right")
    assert found.shift.value == pytest.approx(-2.5 / 8)


def test_holm_multiplies_the_smallest_by_their_number() -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(0, 2, (60, 2)).astype(float)
    found = judge_bias_bench(base, {("one", "wrong"): np.zeros((60, 2)), ("two", "wrong"): base})
    smallest = min(found.effects, key=lambda own: own.p_value)
    assert smallest.bias == "one"
    assert smallest.p_holm == pytest.approx(3 * smallest.p_value)
    assert all(own.p_holm >= own.p_value for own in found.effects)
    assert any("one, toward wrong answers: moves the judge" in line for line in found.sentences())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base": np.zeros(4)}, "base has shape"),
        ({"injected": {KEY: CUE[:2]}}, "injected has shape"),
        ({"injected": {KEY: 2 * CUE}}, "holds 0 to 2"),
        ({"injected": {("authority", "left"): CUE}}, "targets are 'left'"),
    ],
)
def test_what_is_refused(change: dict, message: str) -> None:
    with pytest.raises(TruingError, match=message):
        judge_bias_bench(**{"base": BASE, "injected": {KEY: CUE}, **change})


def test_an_effect_that_was_not_measured() -> None:
    with pytest.raises(TruingError, match=r"'authority' toward right[\s\S]*authority toward wrong"):
        judge_bias_bench(BASE, {KEY: CUE}).effect("authority", "right")


def pairs_twice(base, injected, controls=None, again=None):
    """Every pair counts twice, as if its orders were pairs of their own."""

    def twice(table):
        return np.concatenate([table, table])

    others = None if controls is None else {key: twice(own) for key, own in controls.items()}
    return judge_bias_bench(twice(base), {key: twice(own) for key, own in injected.items()}, others)


def cue_ignored(base, injected, controls=None, again=None):
    return judge_bias_bench(base, dict.fromkeys(injected, base), controls)


def right_and_wrong_exchanged(base, injected, controls=None, again=None):
    others = None if controls is None else {key: 1 - own for key, own in controls.items()}
    return judge_bias_bench(1 - base, {key: 1 - own for key, own in injected.items()}, others)


def ten_pairs(base, injected, controls=None, again=None):
    others = None if controls is None else {key: own[:10] for key, own in controls.items()}
    return judge_bias_bench(base[:10], {key: own[:10] for key, own in injected.items()}, others)


def first_order_only(base, injected, controls=None, again=None):
    """The cue is only looked at where the right answer stands second, against a mean of both orders."""

    def one(table):
        return np.repeat(table[:, 1:], 2, axis=1)

    return judge_bias_bench(base, {key: one(own) for key, own in injected.items()}, controls)


BUGS = {
    "judge-bias-bench/intervals-cover": [pairs_twice, cue_ignored, right_and_wrong_exchanged],
    "judge-bias-bench/signs-are-right": [right_and_wrong_exchanged],
    "judge-bias-bench/error-halves": [ten_pairs],
    "judge-bias-bench/innocent-judges-are-acquitted": [pairs_twice],
    "judge-bias-bench/half-the-bias-is-half-the-shift": [first_order_only],
    "judge-bias-bench/places-do-not-leak-into-cues": [first_order_only],
}


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug)


def test_every_claim_has_a_bug():
    assert claims_of("judge-bias-bench") == set(BUGS)


@pytest.mark.parametrize("name", BUGS)
def test_every_claim_holds(name):
    must_hold(name)
