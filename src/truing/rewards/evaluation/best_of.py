"""Over-optimisation by best-of-n (2210.10760): a proxy picks the best of n answers, the data's scores say what it got.

With m scored answers a prompt the expectation over all subsets of n is exact: the answer with rank r from the top is
picked with probability C(m − r, n − 1) / C(m, n). Nothing is sampled but the bootstrap of intervals over prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import comb
from typing import Any

import numpy as np
from jaxtyping import Float

from truing.errors import DataError
from truing.json_values import plain
from truing.statistics import UNKNOWN, Estimate

_RESAMPLES = 2000


@dataclass(frozen=True)
class BestOf:
    """What picking by a proxy brings.

    Attributes:
        n: how many answers are picked from.
        gold: expected score of the pick in the data, at each n, with intervals over prompts.
        proxy: expected score of the pick by the proxy itself.
        perfect: what a picker that knows the data's scores would get.
        gain: gold at the largest n, less that of a random answer.
        share: the gain, of what the perfect picker gains.
        peak: the n with the highest gold.
        since_peak: gold at the largest n, less that at the peak.
        prompts: how many count.
        left_out: prompts with too few answers.
    """

    n: tuple[int, ...]
    gold: tuple[Estimate, ...]
    proxy: tuple[float, ...]
    perfect: tuple[float, ...]
    gain: Estimate
    share: Estimate
    peak: int
    since_peak: Estimate
    prompts: int
    left_out: int

    @property
    def over_optimised(self) -> bool:
        """Whether more answers to pick from made the pick worse, beyond chance."""
        return self.since_peak.high < 0

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain({**asdict(self), "over_optimised": self.over_optimised})
        return found


def sizes(counts: Sequence[int]) -> tuple[int, ...]:
    """1, 2, 4, ... up to the number of answers that half of the prompts have, and that number.

    Raises:
        DataError: if there are no prompts.
    """
    if not counts:
        raise DataError("no prompt with several scored answers is left")
    most = int(np.quantile(counts, 0.5, method="lower"))
    powers = [2**k for k in range(most.bit_length()) if 2**k < most]
    return (*powers, most)


def chances(proxy: Float[np.ndarray, " answers"], n: int) -> Float[np.ndarray, " answers"]:
    """Probability of every answer to be the proxy's pick of n drawn without replacement; ties share alike."""
    m = len(proxy)
    order = np.argsort(-proxy, kind="stable")
    by_rank = np.array([comb(m - rank, n - 1) / comb(m, n) for rank in range(1, m + 1)])
    found = np.empty(m)
    found[order] = by_rank
    for value in np.unique(proxy):
        tied = proxy == value
        found[tied] = found[tied].mean()
    return found


def best_of(
    proxy: Sequence[Float[np.ndarray, " answers"]], gold: Sequence[Float[np.ndarray, " answers"]], *, seed: int = 0
) -> BestOf:
    """The curve of a proxy.

    Args:
        proxy: its rewards, one array a prompt.
        gold: the data's scores of the same answers.
        seed: of the bootstrap.

    Raises:
        DataError: if there are no prompts.
    """
    n = sizes([len(own) for own in gold])
    kept = [(p, g) for p, g in zip(proxy, gold, strict=True) if len(g) >= n[-1]]
    picked = np.array([[chances(p, size) @ g for size in n] for p, g in kept])
    best = np.array([[chances(g, size) @ g for size in n] for _, g in kept])
    own = np.array([[chances(p, size) @ p for size in n] for p, _ in kept])
    count = len(kept)
    weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), _RESAMPLES) / count
    means, drawn = picked.mean(0), weights @ picked
    peak = int(means.argmax())
    possible, drawn_possible = (best[:, -1] - best[:, 0]).mean(), weights @ (best[:, -1] - best[:, 0])
    gain, drawn_gain = means[-1] - means[0], drawn[:, -1] - drawn[:, 0]
    known = drawn_possible > 0  # a draw of prompts whose answers are all alike says nothing
    share = (
        _interval(gain / possible, drawn_gain[known] / drawn_possible[known], count) if possible > 0 else UNKNOWN
    )
    return BestOf(
        n=n,
        gold=tuple(_interval(means[i], drawn[:, i], count) for i in range(len(n))),
        proxy=tuple(float(value) for value in own.mean(0)),
        perfect=tuple(float(value) for value in best.mean(0)),
        gain=_interval(gain, drawn_gain, count),
        share=share,
        peak=n[peak],
        since_peak=_interval(means[-1] - means[peak], drawn[:, -1] - drawn[:, peak], count),
        prompts=count,
        left_out=len(gold) - count,
    )


def _interval(value: float, drawn: Float[np.ndarray, " resamples"], n: int) -> Estimate:
    """Percentiles of the bootstrap."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(float(value), float(low), float(high), n)
