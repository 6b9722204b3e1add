"""Which of many numbers may be named: an error rate for the whole family, and not for each of them by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from truing.arenas.significance import holm

LEVEL = 0.05
"""Chance, at most, of one number or more that is named wrongly."""


def normal_p_values(centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Two-sided p-values of estimates with standard errors; 1 where an estimate is 0, nan where either is unknown.

    Args:
        centre: estimates, shape ``[m]``.
        spread: standard errors, the bootstrap's, same units; shape ``[m]``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = np.where(centre == 0, 1.0, 2 * ndtr(-np.abs(centre) / spread))
    return np.where(np.isfinite(centre) & np.isfinite(spread), found, np.nan)


def after_holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values of the known ones; nan stays nan and is no test.

    Args:
        p_values: shape ``[m]``.
    """
    raw = np.asarray(p_values, dtype=np.float64)
    known = np.isfinite(raw)
    found = np.full(len(raw), np.nan)
    found[known] = holm(raw[known])
    return found


def simultaneous_doubt(centre: np.ndarray, table: np.ndarray) -> np.ndarray:
    """For each number 1 less the content of the smallest simultaneous credible region that holds 0 for it.

    The region has the same width for all, in posterior standard deviations. A doubt below 0.05 says that 0 lies outside
    of the region that holds all numbers at once with probability 0.95.

    Args:
        centre: posterior means, shape ``[m]``.
        table: draws from the posterior, shape ``[draws, m]``.

    Returns:
        Shape ``[m]``, 0 to 1; nan where nothing varies.
    """
    spread = table.std(0)
    known = spread > 0
    found = np.full(len(centre), np.nan)
    if known.any():
        farthest = (np.abs(table - centre)[:, known] / spread[known]).max(1)
        found[known] = (farthest[:, None] >= np.abs(centre[known]) / spread[known]).mean(0)
    return found
