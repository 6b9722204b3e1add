"""A mean over rows that come in clusters, with a bootstrap interval over the clusters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from truing.statistics import UNKNOWN, Estimate

RESAMPLES = 1000


def clustered_mean(values: Sequence[float], clusters: Sequence[Hashable], seed: int = 0) -> Estimate:
    """Mean of ``values``; the 95 % percentile interval draws whole clusters.

    Rows that share a prompt are not independent, so that n is the number of clusters; with fewer than two the
    interval is unknown.
    """
    if len(values) == 0:
        return UNKNOWN
    numbers: dict[Hashable, int] = {}
    owner = np.array([numbers.setdefault(cluster, len(numbers)) for cluster in clusters])
    count = len(numbers)
    sums = np.bincount(owner, weights=np.asarray(values, dtype=np.float64), minlength=count)
    sizes = np.bincount(owner, minlength=count)
    center = float(sums.sum() / sizes.sum())
    if count < 2:
        return Estimate(center, float("nan"), float("nan"), count)
    rng = np.random.default_rng(seed)
    means = np.empty(RESAMPLES)
    for draw in range(RESAMPLES):
        chosen = rng.integers(0, count, count)
        means[draw] = sums[chosen].sum() / sizes[chosen].sum()
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(center, float(low), float(high), count)
