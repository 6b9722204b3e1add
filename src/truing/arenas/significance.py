"""Paired tests between methods on the same items, and what many tests at once cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DRAWS = 10_000
# Up to this many items every assignment of signs is tried, so that the p-value is exact.
_EXACT = 13


def permutation_p_values(differences: np.ndarray, *, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Two-sided p-values of paired permutation (sign-flip) tests, one for each column.

    If two methods do not differ, each item's difference is as likely with the other sign. The statistic is the
    absolute mean difference. Signs are drawn once for all columns; with 13 items or fewer all of them are tried.

    Args:
        differences: of two methods on each item, shape ``[items, comparisons]``.
        draws: random sign assignments; the smallest p-value is 1 / (draws + 1).
        seed: of the draws.

    Returns:
        Shape ``[comparisons]``; 1 where all differences are zero.
    """
    items, _ = differences.shape
    if items <= _EXACT:
        signs = 1.0 - 2.0 * ((np.arange(2**items)[:, None] >> np.arange(items)) & 1)
    else:
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(draws, items))
    observed = np.abs(differences.sum(axis=0))
    # Sums of the same numbers in another order differ by rounding: equal ones have to count as equal.
    slack = 1e-9 * np.abs(differences).sum(axis=0)
    reached = (np.abs(signs @ differences) >= observed - slack).sum(axis=0)
    if items <= _EXACT:
        exact: np.ndarray = reached / len(signs)
        return exact
    estimated: np.ndarray = (reached + 1) / (draws + 1)
    return estimated


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """P-values adjusted for the number of tests (Holm 1979): reject where they are at most the level.

    The k-th smallest of m is multiplied by m − k + 1, and none may be smaller than the one before it.

    Args:
        p_values: shape ``[m]``.

    Returns:
        Shape ``[m]``, at most 1.
    """
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    adjusted = np.maximum.accumulate(raw[order] * (len(raw) - np.arange(len(raw))))
    found = np.empty_like(raw)
    found[order] = np.minimum(adjusted, 1.0)
    return found
