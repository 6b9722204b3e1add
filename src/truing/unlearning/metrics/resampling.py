"""Percentile intervals by drawing the questions again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

RESAMPLES = 1000

Draw = Sequence[np.ndarray]


def percentile_interval(
    statistic: Callable[[Draw], float], sizes: Sequence[int], *, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """95 % bootstrap interval of a statistic of several independent samples.

    Args:
        statistic: takes one array of indices for each sample, each of the sample's own size.
        sizes: of the samples, each at least 2; else the interval is nan.
        seed: of the draws.
        resamples: how many.
    """
    if min(sizes) < 2:
        return float("nan"), float("nan")
    draw = np.random.default_rng(seed)
    values = [statistic([draw.integers(0, size, size) for size in sizes]) for _ in range(resamples)]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
