"""One axis: round ticks, short labels, and the factor that keeps them short."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from truing.report.wording import fixed, power_of_ten

# Beyond these sizes, differences and ratios of two numbers leave the range of floats.
_LARGEST, _SMALLEST = 1e300, 1e-300


@dataclass(frozen=True)
class Axis:
    """A linear axis.

    Attributes:
        low, high: its ends, in data units.
        ticks: values with labels, in data units.
        factor: text such as ``× 10⁻⁵`` by which labels are to be multiplied; empty where they stand for themselves.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    factor: str = ""

    def place(self, value: float, start: float, end: float) -> float:
        """Where a value lies between two positions of the drawing."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(start + share * (end - start), 2)


def axis(
    values: Sequence[float], *, most: int = 5, whole: bool = False, share: bool = False, tight: bool = False
) -> Axis:
    """An axis that holds all values.

    Args:
        values: finite numbers, at least one.
        most: about how many intervals there are between ticks.
        whole: ticks at whole numbers only.
        share: label values as per cent.
        tight: end at the extreme values; otherwise at the round numbers beyond them.
    """
    low, high = _within(min(values)), _within(max(values))
    if high - low <= 1e-5 * max(abs(low), abs(high)):  # labels could not tell the values apart
        margin = 0.5 * abs(low) or 1.0
        low, high = low - margin, high + margin
    exponent = _exponent(0.0 if share else max(abs(low), abs(high)))
    scale = 10.0**exponent
    chosen = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10], integer=whole).tick_values(
        low / scale, high / scale
    )
    numbers = [float(tick) for tick in chosen]
    labels = _labels(numbers, share=share)
    ticks = tuple((number * scale, label) for number, label in zip(numbers, labels, strict=True))
    factor = f"× {power_of_ten(exponent)}" if exponent else ""
    if tight:
        return Axis(low, high, tuple(tick for tick in ticks if low <= tick[0] <= high), factor)
    return Axis(ticks[0][0], ticks[-1][0], ticks, factor)


def _within(value: float) -> float:
    return 0.0 if abs(value) < _SMALLEST else min(_LARGEST, max(-_LARGEST, value))


def _exponent(size: float) -> int:
    """The power of ten to take out of labels; 0 for sizes that are read easily."""
    if size == 0 or 1e-3 <= size < 1e5:
        return 0
    return math.floor(math.log10(size))


def _labels(numbers: Sequence[float], *, share: bool) -> list[str]:
    factor = 100.0 if share else 1.0
    gap = factor * min(b - a for a, b in itertools.pairwise(numbers))
    decimals = next((d for d in range(7) if abs(gap * 10**d - round(gap * 10**d)) < 1e-6 * gap * 10**d), 6)
    return [fixed(factor * number, decimals) + ("%" if share else "") for number in numbers]
