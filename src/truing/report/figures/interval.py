"""A number and its interval as a small picture, against the value that means "no difference"."""

from __future__ import annotations

import math
from dataclasses import dataclass

from truing.statistics import Estimate

WIDTH, HEIGHT = 200, 24
_MARGIN = 8.0


@dataclass(frozen=True)
class IntervalBar:
    """Positions in a picture of :data:`WIDTH` by :data:`HEIGHT`.

    Attributes:
        none: where "no difference" is.
        value: where the estimate is.
        low, high: ends of the interval; equal to ``value`` where it is unknown.
        style: CSS class: better, worse, changed or same.
        title: for screen readers.
    """

    none: float
    value: float
    low: float
    high: float
    style: str
    title: str
    width: int = WIDTH
    height: int = HEIGHT


def interval_bar(
    estimate: Estimate, none: float, style: str, title: str, *, share: bool = False
) -> IntervalBar | None:
    """The picture; ``None`` where the estimate is unknown.

    Args:
        estimate: the number.
        none: its value if nothing had changed; the middle of the picture.
        style: CSS class.
        title: for screen readers.
        share: the picture goes from 0 to 1; otherwise it is as wide as the interval needs.
    """
    if not math.isfinite(estimate.value):
        return None
    known = math.isfinite(estimate.low) and math.isfinite(estimate.high)
    low, high = (estimate.low, estimate.high) if known else (estimate.value, estimate.value)
    half = 0.5 if share else 1.1 * max(abs(low - none), abs(high - none), abs(estimate.value - none))
    if not math.isfinite(half) or half == 0:
        half = 1.0

    def place(value: float) -> float:
        ratio = min(1.0, max(-1.0, value / half - none / half))
        return round(WIDTH / 2 + ratio * (WIDTH / 2 - _MARGIN), 2)

    return IntervalBar(place(none), place(estimate.value), place(low), place(high), style, title)
