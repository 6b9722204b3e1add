"""Paired tests between methods on the same items, and what many tests at once cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DRAWS = 10_000
"""Fewest random assignments of signs."""
DRAWS_PER_COMPARISON = 400
"""A correction for m comparisons multiplies p-values by up to m: with 400 m draws the smallest stays at 1/400."""
# Up to this many items every assignment of signs is tried, so that the p-value is exact.
_EXACT = 13
_CHUNK = 5_000


def permutation_p_values(differences: np.ndarray, *, draws: int | None = None, seed: int = 0) -> np.ndarray:
    """Two-sided p-values of paired permutation (sign-flip) tests, one for each column.

    If two methods do not differ, each item's difference is as likely with the other sign. The statistic is the
    absolute mean difference. Signs are drawn once for all columns; with 13 items or fewer all of them are tried.

    Args:
        differences: of two methods on each item, shape ``[items, comparisons]``.
        draws: random sign assignments; the smallest p-value is 1 / (draws + 1). By default as many as a correction for
            all comparisons needs.
        seed: of the draws.

    Returns:
        Shape ``[comparisons]``; 1 where all differences are zero.
    """
    items, comparisons = differences.shape
    observed = np.abs(differences.sum(axis=0))
    # Sums of the same numbers in another order differ by rounding: equal ones have to count as equal.
    enough = observed - 1e-9 * np.abs(differences).sum(axis=0)
    if items <= _EXACT:
        signs = 1.0 - 2.0 * ((np.arange(2**items)[:, None] >> np.arange(items)) & 1)
        exact: np.ndarray = _reached(signs, differences, enough) / len(signs)
        return exact
    if draws is None:
        draws = max(DRAWS, DRAWS_PER_COMPARISON * comparisons)
    generator = np.random.default_rng(seed)
    reached = np.zeros(comparisons)
    for start in range(0, draws, _CHUNK):
        signs = generator.choice([-1.0, 1.0], size=(min(_CHUNK, draws - start), items))
        reached += _reached(signs, differences, enough)
    estimated: np.ndarray = (reached + 1) / (draws + 1)
    return estimated


def _reached(signs: np.ndarray, differences: np.ndarray, enough: np.ndarray) -> np.ndarray:
    """How many assignments of signs give at least as large a sum."""
    found: np.ndarray = (np.abs(signs @ differences) >= enough).sum(axis=0)
    return found


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
