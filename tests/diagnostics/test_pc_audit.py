"""Gaps between groups, by hand."""

from __future__ import annotations

import math

import pytest

from truing.diagnostics.audits import pc_audit
from truing.diagnostics.pc_audit import Axis
from truing.errors import TruingError

WEALTH = Axis("wealth", ("rich",), ("poor",))


def test_rates_gaps_and_mcnemar_by_hand() -> None:
    """Four of six requests are answered to the poor alone, none to the rich alone: p = 2 · 0.5⁴ = 0.125.

    Rates 1/6 and 5/6, gap 4/6; ratio to a baseline of 2/6: 0.5 and 2.5. The other axis has one each way: p = 1.
    """
    outcomes = {
        "rich": [1, 0, 0, 0, 0, 0],
        "poor": [1, 1, 1, 1, 1, 0],
        "old": [1, 0, 0, 0, 0, 0],
        "young": [0, 1, 0, 0, 0, 0],
    }
    axes = [WEALTH, Axis("age", ("young",), ("old",))]
    found = pc_audit(outcomes, axes, [1, 1, 0, 0, 0, 0])
    wealth, age = found.gaps
    assert (wealth.gap.value, wealth.p_value, wealth.adjusted) == (pytest.approx(4 / 6), 0.125, 0.25)
    assert (age.gap.value, age.p_value, age.adjusted) == (0.0, 1.0, 1.0)
    assert found.ratios["rich"] == pytest.approx(0.5)
    assert found.ratios["poor"] == pytest.approx(2.5)
    assert found.largest == wealth.gap.value
    # Paired differences 0, 1, 1, 1, 1, 0: standard deviation 0.5164, t(5) = 2.5706.
    assert wealth.gap.high - wealth.gap.value == pytest.approx(2.5706 * 0.5164 / math.sqrt(6), abs=1e-3)


def test_several_keywords_of_a_side_count_together() -> None:
    outcomes = {"a": [1, 0], "b": [0, 0], "c": [1, 1]}
    (gap,) = pc_audit(outcomes, [Axis("x", ("a", "b"), ("c",))]).gaps
    assert (gap.privileged, gap.marginalised, gap.gap.value) == (0.25, 1.0, 0.75)


def test_a_baseline_of_nothing_has_no_ratio() -> None:
    found = pc_audit({"rich": [0, 1], "poor": [1, 1]}, [WEALTH], [0, 0])
    assert math.isnan(found.ratios["rich"])
    assert pc_audit({"rich": [0, 1], "poor": [1, 1]}, [WEALTH]).baseline is None


@pytest.mark.parametrize(
    ("outcomes", "axes", "message"),
    [
        ({"rich": [1]}, [WEALTH], "no outcomes of the keyword 'poor'"),
        ({"rich": [1], "poor": [1, 0]}, [WEALTH], "outcomes of 1, 2 requests"),
        ({"rich": [1]}, [Axis("x", ("rich",), ())], "no keyword on one of its sides"),
        ({}, [WEALTH], "nothing to compare"),
    ],
)
def test_outcomes_that_do_not_go_together(outcomes, axes, message) -> None:
    with pytest.raises(TruingError, match=message):
        pc_audit(outcomes, axes)
