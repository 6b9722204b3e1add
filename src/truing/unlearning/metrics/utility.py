"""Model utility: the harmonic mean of probability, ROUGE-L recall and truthfulness on what is to be kept (TOFU).

Nine numbers, three on each of the retain set, real authors and world facts. One that is near 0 pulls the whole near 0,
which is meant: a model that lost one ability is not made good by the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from truing.errors import DataError
from truing.statistics import Estimate
from truing.unlearning.metrics.resampling import percentile_interval


def harmonic_mean(values: Sequence[float]) -> float:
    """Of numbers from 0 to 1; 0 if one of them is 0.

    Raises:
        DataError: if there are none, one is negative, or one is not a number.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) == 0:
        raise DataError("a harmonic mean of nothing", allowed="at least one number")
    if not (array >= 0).all():
        raise DataError(f"a harmonic mean of {array.tolist()}", allowed="numbers of at least 0")
    return 0.0 if (array == 0).any() else float(len(array) / (1 / array).sum())


def model_utility(values: Mapping[str, Mapping[str, np.ndarray]]) -> Estimate:
    """Harmonic mean of the means, with a bootstrap interval over the questions of each set.

    Args:
        values: for each set, and each metric in it, one number for each question; sets and metrics may be missing.

    Returns:
        ``n`` is the number of questions in all.

    Raises:
        DataError: if there is no set.
    """
    tables = [np.stack(list(metrics.values())) for metrics in values.values() if metrics]
    if not tables:
        raise DataError(
            "the utility needs questions about what is to be kept", allowed="retain, real_authors, world_facts"
        )
    sizes = [table.shape[1] for table in tables]

    def utility(picked: Sequence[np.ndarray]) -> float:
        return harmonic_mean([m for t, index in zip(tables, picked, strict=True) for m in t[:, index].mean(1)])

    value = utility([np.arange(size) for size in sizes])
    return Estimate(value, *percentile_interval(utility, sizes), sum(sizes))
