"""Draws from PG(1, c), the Pólya-Gamma law that makes logistic regression conditionally normal (1205.0310)."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr

_CUT = 0.64
# Where the two series of the Jacobi density change over; any value near 2/π does.


def polya_gamma(tilt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One exact draw for each tilt: the alternating-series rejection of 1205.0310, section 4 (after Devroye, 2009).

    The mean is tanh(c/2)/(2c), one quarter at c = 0.

    Args:
        tilt: c of each draw, any shape; its sign does not matter.
        rng: of the draws.

    Returns:
        Positive numbers of the shape of ``tilt``.
    """
    half = np.abs(np.asarray(tilt, dtype=np.float64)).ravel() / 2
    found = np.zeros_like(half)
    open_ = np.arange(len(half))
    while len(open_):
        proposed = _proposal(half[open_], rng)
        kept = _accepted(proposed, rng)
        found[open_[kept]] = proposed[kept] / 4
        open_ = open_[~kept]
    return found.reshape(np.shape(tilt))


def _proposal(half: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An exponential tail beyond the cut, a truncated inverse Gaussian before it."""
    rate = np.pi**2 / 8 + half**2 / 2
    right = np.pi / (2 * rate) * np.exp(-rate * _CUT)
    root = np.sqrt(1 / _CUT)
    left = 2 * np.exp(-half + log_ndtr(root * (_CUT * half - 1)))
    left += 2 * np.exp(half + log_ndtr(-root * (_CUT * half + 1)))
    beyond = rng.random(len(half)) * (left + right) < right
    found = _CUT + rng.exponential(size=len(half)) / rate
    found[~beyond] = _before_the_cut(half[~beyond], rng)
    return found


def _before_the_cut(half: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Inverse Gaussian of mean 1/half and shape 1, given that it is below the cut."""
    found = np.full_like(half, np.inf)
    open_ = np.arange(len(half))
    while len(open_):
        own = half[open_]
        # Above, the inverse Gaussian itself is mostly below the cut; else its envelope without a tilt is cheaper.
        steep = own > 1 / _CUT
        drawn = np.empty_like(own)
        drawn[steep] = rng.wald(1 / own[steep], 1.0)
        kept = steep & (drawn < _CUT)
        one, other = rng.exponential(size=(2, int((~steep).sum())))
        drawn[~steep] = _CUT / (1 + _CUT * one) ** 2
        tilted = np.exp(-(own[~steep] ** 2) * drawn[~steep] / 2)
        kept[~steep] = (one**2 <= 2 * other / _CUT) & (rng.random(len(tilted)) <= tilted)
        found[open_[kept]] = drawn[kept]
        open_ = open_[~kept]
    return found


def _accepted(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whether a uniform number lies under the alternating series; its partial sums bound it from both sides."""
    total = _term(0, x)
    level = rng.random(len(x)) * total
    verdict = np.zeros(len(x), dtype=bool)
    open_ = np.ones(len(x), dtype=bool)
    number = 0
    while open_.any():
        number += 1
        lower = number % 2 == 1
        total = total + (-1 if lower else 1) * _term(number, x)
        settled = open_ & ((level <= total) if lower else (level > total))
        verdict |= settled & lower
        open_ &= ~settled
    return verdict


def _term(number: int, x: np.ndarray) -> np.ndarray:
    half = number + 0.5
    near = 1.5 * np.log(2 / (np.pi * x)) - 2 * half**2 / x
    found: np.ndarray = np.pi * half * np.exp(np.where(x > _CUT, -(half**2) * np.pi**2 * x / 2, near))
    return found
