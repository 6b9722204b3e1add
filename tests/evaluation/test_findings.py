"""Findings in words where there is little to say."""

from __future__ import annotations

import math

import pytest

from truing.evaluation.findings import _signed
from truing.statistics import Estimate


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (Estimate(1.5, math.nan, math.nan, 1), "It rose by +1.5 (no interval, n = 1). That may be chance."),
        (Estimate(1.5, 1.0, 2.0, 40), "It rose by +1.5 (95 % interval +1 to +2, n = 40)."),
    ],
)
def test_one_value_has_no_interval(estimate: Estimate, expected: str) -> None:
    assert _signed("it", estimate, "It rose by {v}", good=1).sentence == expected
