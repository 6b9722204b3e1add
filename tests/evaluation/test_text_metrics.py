"""Simple measures of text, counted by hand."""

from __future__ import annotations

import math

import pytest

from truing.evaluation import text_metrics


def test_repetition() -> None:
    # Bigrams of 1 2 1 2 1: (1 2) (2 1) (1 2) (2 1): two of four occurred before.
    assert text_metrics.repetition([1, 2, 1, 2, 1], n=2) == 0.5
    assert text_metrics.repetition([1, 2, 3], n=4) == 0.0
    assert text_metrics.repetition([7] * 10, n=4) == pytest.approx(6 / 7)


def test_distinct() -> None:
    # Four bigrams, all different: 4 / (4 (1 - (3/4)^4)) = 1.46 is cut at 1.
    assert text_metrics.distinct([[1, 2, 3], [4, 5, 6]]) == 1.0
    # Four bigrams, one distinct: 1 / (4 (1 - 81/256)) = 256 / 700.
    assert text_metrics.distinct([[7] * 5]) == pytest.approx(256 / 700)
    assert math.isnan(text_metrics.distinct([[1], []]))


def test_lengths() -> None:
    assert text_metrics.lengths([[1, 2], [], [3]]).tolist() == [2.0, 0.0, 1.0]
