"""Sign statistics of factors: how often the preferred answer has more of each, for many weightings of pairs at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Ties = Literal["counted", "dropped"]


@dataclass(frozen=True)
class Scores:
    """One row for each weighting, one column for each factor.

    Attributes:
        tau: (C − D)/(C + D + T), or (C − D)/(C + D) where ties are dropped.
        matched: the same over pairs of about equal length.
        partial: Kendall's partial correlation of factor and preference, given which answer is longer.
    """

    tau: np.ndarray
    matched: np.ndarray
    partial: np.ndarray


def factor_scores(
    differences: np.ndarray, preferences: np.ndarray, longer: np.ndarray, counts: np.ndarray, ties: Ties
) -> Scores:
    """Scores of all factors.

    Args:
        differences: factor of the first answer minus that of the second, any units, shape ``[N, F]``.
        preferences: 1 or −1, shape ``[N]``.
        longer: 1, −1, or 0 where lengths are about the same, shape ``[N]``.
        counts: how often each pair counts, shape ``[B, N]``.
        ties: whether pairs that do not differ in a factor count in its denominator.

    Returns:
        Numbers from −1 to 1; nan where there is nothing to count; each of shape ``[B, F]``.
    """
    signs = np.sign(differences)
    toward = signs * preferences[:, None]
    differs = signs**2
    level = counts * (longer == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Scores(
            _tau(toward, differs, counts, ties),
            _tau(toward, differs, level, ties),
            _partial(signs, toward, preferences, longer, counts),
        )


def _tau(toward: np.ndarray, differs: np.ndarray, counts: np.ndarray, ties: Ties) -> np.ndarray:
    of = counts.sum(1, keepdims=True) if ties == "counted" else counts @ differs
    found: np.ndarray = (counts @ toward) / of
    return found


def _partial(
    signs: np.ndarray, toward: np.ndarray, preferences: np.ndarray, longer: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """(τ_fp − τ_fl τ_pl)/√((1 − τ_fl²)(1 − τ_pl²)) of correlations of signs, as Kendall's with ties (tau-b)."""
    size = {"f": np.sqrt(counts @ signs**2), "l": np.sqrt(counts @ longer**2)[:, None]}
    size["p"] = np.sqrt(counts.sum(1, keepdims=True))
    preferred = (counts @ toward) / (size["f"] * size["p"])
    lengthy = (counts @ (signs * longer[:, None])) / (size["f"] * size["l"])
    both = (counts @ (preferences * longer))[:, None] / (size["p"] * size["l"])
    # Where nothing is longer, length explains nothing.
    lengthy, both = (np.where(size["l"] > 0, own, 0.0) for own in (lengthy, both))
    left = np.sqrt(np.clip(1 - lengthy**2, 0, None) * np.clip(1 - both**2, 0, None))
    found: np.ndarray = np.where(left > 1e-9, (preferred - lengthy * both) / left, np.nan)
    return found
