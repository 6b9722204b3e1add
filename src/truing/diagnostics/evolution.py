"""What became of each item: counts of states before by states after, and shares of them with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from truing.errors import DataError
from truing.statistics import Estimate, rate

RESAMPLES = 2000

Statistic = Callable[[Float[np.ndarray, "... before after"]], Float[np.ndarray, "..."]]


@dataclass(frozen=True)
class Evolution:
    """A table of counts.

    Attributes:
        states: what an item can be, in the order of rows and columns.
        counts: items by state before (rows) and after (columns), ``[K, K]``.
    """

    states: tuple[str, ...]
    counts: np.ndarray

    @classmethod
    def of(cls, states: Sequence[str], before: Sequence[str], after: Sequence[str]) -> Evolution:
        """Count the same items before and after.

        Raises:
            DataError: if there are none, not as many after as before, or one is in no known state.
        """
        if not before or len(before) != len(after):
            raise DataError(
                f"{len(before)} items before and {len(after)} after",
                allowed="the same items, one or more, in the same order",
            )
        for when, found in (("before", before), ("after", after)):
            strange = next((place for place, one in enumerate(found) if one not in states), None)
            if strange is not None:
                raise DataError(
                    f"item {strange} is {found[strange]!r} {when}", where=when, allowed=", ".join(states)
                )
        counts = np.zeros((len(states), len(states)), dtype=np.int64)
        np.add.at(counts, ([states.index(one) for one in before], [states.index(one) for one in after]), 1)
        return cls(tuple(states), counts)

    def __len__(self) -> int:
        return int(self.counts.sum())

    def where(self, before: Sequence[str], after: Sequence[str]) -> np.ndarray:
        """A mask of cells: 1 where the state before and the state after are among those named."""
        rows, columns = (np.isin(self.states, found) for found in (before, after))
        return np.outer(rows, columns).astype(np.float64)

    def estimate(self, statistic: Statistic, *, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
        """A statistic of the counts, with the percentile interval of drawing items again.

        Args:
            statistic: works on stacks of tables, ``[..., K, K]``.
            resamples: how often items are drawn again; an item is its cell, so that a multinomial draw does it.
            seed: of the draws.
        """
        n = len(self)
        value = float(statistic(self.counts))
        if n < 2:
            return Estimate(value, float("nan"), float("nan"), n)
        drawn = np.random.default_rng(seed).multinomial(n, self.counts.ravel() / n, resamples)
        low, high = np.quantile(statistic(drawn.reshape(resamples, *self.counts.shape)), [0.025, 0.975])
        return Estimate(value, float(low), float(high), n)

    def share(
        self, part: np.ndarray, whole: np.ndarray, empty: float, *, resamples: int = RESAMPLES, seed: int = 0
    ) -> Estimate:
        """The share that some cells have in others, see :func:`ratio`, with its interval.

        Wilson's where drawing again changes nothing: items that are all alike do not show that others are, too. 0 to 1
        where there are none of the others.
        """
        found = self.estimate(ratio(part, whole, empty), resamples=resamples, seed=seed)
        if found.high > found.low:
            return found
        above, below = (int((self.counts * mask).sum()) for mask in (part, whole))
        return rate(above, below) if below else Estimate(empty, 0.0, 1.0, 0)


def ratio(part: np.ndarray, whole: np.ndarray, empty: float) -> Statistic:
    """The share that some cells have in others; ``empty`` where there are none of the others."""

    def share(counts: np.ndarray) -> np.ndarray:
        above, below = ((counts * mask).sum((-2, -1)) for mask in (part, whole))
        found: np.ndarray = np.where(below > 0, above / np.maximum(below, 1), empty)
        return found

    return share
