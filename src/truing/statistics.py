"""Rates, means and differences, never without n and a 95 % interval. Unknown is nan, never 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty.

    Attributes:
        value: the estimate.
        low, high: 95 % interval.
        n: independent observations behind it.
    """

    value: float
    low: float
    high: float
    n: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


UNKNOWN = Estimate(math.nan, math.nan, math.nan, 0)


def rate(successes: float, n: int) -> Estimate:
    """A proportion with its Wilson interval; what is undecided may count one half."""
    if n == 0:
        return UNKNOWN
    value, z = successes / n, float(stats.norm.ppf(0.975))
    spread = z * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    low, high = ((value + z * z / (2 * n) + sign * spread) / (1 + z * z / n) for sign in (-1, 1))
    return Estimate(value, max(0.0, low), min(1.0, high), n)


def mean(values: Sequence[float] | np.ndarray) -> Estimate:
    """A mean with its Student interval; the interval is nan for fewer than two values."""
    array = np.asarray(values, dtype=np.float64)
    array = array[np.isfinite(array)]
    if len(array) == 0:
        return UNKNOWN
    center = float(array.mean())
    if len(array) == 1:
        return Estimate(center, math.nan, math.nan, 1)
    half = float(stats.t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / math.sqrt(len(array)))
    return Estimate(center, center - half, center + half, len(array))


def share(values: Sequence[float] | np.ndarray) -> Estimate:
    """A mean of numbers from 0 to 1; so is its interval, and Wilson's where several are all equal."""
    found = mean(values)
    if found.n > 1 and found.high - found.low < 1e-12:
        return rate(found.value * found.n, found.n)
    low, high = np.clip([found.low, found.high], 0.0, 1.0)
    return Estimate(found.value, float(low), float(high), found.n)


def paired_difference(
    after: Sequence[float] | np.ndarray, before: Sequence[float] | np.ndarray, *, per_item: int = 1
) -> Estimate:
    """Mean of after − before over the same items, with the interval of a paired t-test over items."""
    return mean(averaged(np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64), per_item))


@dataclass(frozen=True)
class WinRate:
    """How often one side of a paired comparison scored higher.

    Attributes:
        rate: wins plus half the ties, over all; with its 95 % interval over items.
        wins, ties, losses: counts of comparisons.
        p_value: exact two-sided sign test on the decided items; nan where all are tied.
    """

    rate: Estimate
    wins: int
    ties: int
    losses: int
    p_value: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def significant(self) -> bool:
        """Whether the interval lies above one half."""
        return self.rate.low > 0.5


def win_rate(
    after: Sequence[float] | np.ndarray, before: Sequence[float] | np.ndarray, *, per_item: int = 1
) -> WinRate:
    """Compare two scores of the same items.

    Args:
        after, before: scores, one item's comparisons in a row.
        per_item: comparisons of each item. Those of one item are not independent: they are averaged, and the interval
            and the sign test count items.
    """
    gap = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    wins, losses = int((gap > 0).sum()), int((gap < 0).sum())
    ties = len(gap) - wins - losses
    shares = averaged(np.where(gap > 0, 1.0, np.where(gap < 0, 0.0, 0.5)), per_item)
    estimate = mean(shares)
    clipped = Estimate(estimate.value, max(0.0, estimate.low), min(1.0, estimate.high), estimate.n)
    above, below = int((shares > 0.5).sum()), int((shares < 0.5).sum())
    p_value = float(stats.binomtest(above, above + below).pvalue) if above + below else math.nan
    return WinRate(clipped, wins, ties, losses, p_value)


def averaged(values: np.ndarray, per_item: int) -> np.ndarray:
    """Means of ``per_item`` neighbours at a time."""
    means: np.ndarray = values.reshape(-1, per_item).mean(axis=1)
    return means


def rank_correlation(left: Sequence[float] | np.ndarray, right: Sequence[float] | np.ndarray) -> Estimate:
    """Spearman's correlation, with the interval of Bonett and Wright (2000); unknown for fewer than five pairs."""
    first, second = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if len(first) < 5 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return Estimate(math.nan, math.nan, math.nan, len(first))
    value = float(stats.spearmanr(first, second).statistic)
    if abs(value) == 1:
        return Estimate(value, value, value, len(first))
    reach = float(stats.norm.ppf(0.975)) * math.sqrt((1 + value**2 / 2) / (len(first) - 3))
    centre = math.atanh(value)
    return Estimate(value, math.tanh(centre - reach), math.tanh(centre + reach), len(first))


def pooled_mean(sums: Sequence[float] | np.ndarray, counts: Sequence[float] | np.ndarray) -> Estimate:
    """Σ sums / Σ counts: a mean over members of groups, not over groups, with Student's interval over groups.

    Members of a group are not independent. The interval is that of a ratio of two means, linearised: residuals are
    (sum − mean · count) / mean(count).

    Args:
        sums: of each group, over its members.
        counts: its members; groups without any are left out.
    """
    above, below = np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    above, below = above[below > 0], below[below > 0]
    if len(below) == 0:
        return UNKNOWN
    value = float(above.sum() / below.sum())
    spread = mean((above - value * below) / below.mean())
    return Estimate(value, value + spread.low, value + spread.high, len(below))


def pooled_share(parts: Sequence[float] | np.ndarray, wholes: Sequence[float] | np.ndarray) -> Estimate:
    """:func:`pooled_mean` of numbers from 0 to 1; so is its interval, and Wilson's where all groups are alike.

    Args:
        parts: of each group, how many of its members count.
        wholes: its members; groups without any are left out.
    """
    found = pooled_mean(parts, wholes)
    if found.n > 1 and found.high - found.low < 1e-12:
        return rate(found.value * found.n, found.n)
    low, high = np.clip([found.low, found.high], 0.0, 1.0)
    return Estimate(found.value, float(low), float(high), found.n)


def kappa(left: Sequence[Any] | np.ndarray, right: Sequence[Any] | np.ndarray) -> Estimate:
    """Cohen's kappa of two who label the same items, with its 95 % interval for many items.

    Unknown where one of the two gives all items one label: what is expected by chance is then all that can be observed.
    Where both agree on all items, the interval is Wilson's of the agreement, less chance.

    Args:
        left, right: labels, one for each item; any values.
    """
    from statsmodels.stats.inter_rater import cohens_kappa

    names, codes = np.unique([str(label) for label in (*left, *right)], return_inverse=True)
    table = np.zeros((len(names), len(names)))
    np.add.at(table, (codes[: len(left)], codes[len(left) :]), 1)
    if not len(left) or min(np.count_nonzero(table.sum(0)), np.count_nonzero(table.sum(1))) < 2:
        return Estimate(math.nan, math.nan, math.nan, len(left))
    if table.trace() == len(left):
        chance = float((table.sum(0) @ table.sum(1)) / len(left) ** 2)
        return Estimate(1.0, (rate(len(left), len(left)).low - chance) / (1 - chance), 1.0, len(left))
    found = cohens_kappa(table)
    low, high = np.clip([found.kappa_low, found.kappa_upp], -1.0, 1.0)
    return Estimate(float(found.kappa), float(low), float(high), len(left))
