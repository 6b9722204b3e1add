"""Two samples of numbers on one axis: chosen and rejected, or before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from truing.report.figures.axis import axis
from truing.report.figures.drawing import Bar, Drawing, Frame, Mark
from truing.report.figures.figure import Key, Table
from truing.report.wording import fixed, number
from truing.statistics import mean

_MOST_BINS = 14


@dataclass(frozen=True)
class Sample:
    """Numbers under one name; ``style`` is the CSS class of their bars."""

    label: str
    style: str
    values: tuple[float, ...]


def bins(samples: Sequence[Sample], *, whole: bool = False) -> list[float]:
    """Edges of bins of equal, round width that hold all values.

    Args:
        samples: at least one value in all.
        whole: values are whole numbers, so that no bin is narrower than 1.
    """
    values = [value for sample in samples for value in sample.values]
    wanted = min(_MOST_BINS, max(4, round(math.sqrt(len(values)))))
    ends = axis(values, most=wanted, whole=whole)
    edges = [tick for tick, _ in ends.ticks]
    if max(values) >= edges[-1]:  # the last bin is open on its right, as the others are
        edges.append(edges[-1] + (edges[-1] - edges[-2]))
    return edges


def draw(
    samples: Sequence[Sample], x_label: str, *, whole: bool = False, zero: str = "", of: str = "answers"
) -> Drawing:
    """Bars side by side in every bin, as shares of each sample, with a vertical line at each mean.

    Args:
        samples: two, or one; each with at least one value.
        x_label: what is counted, with its unit.
        whole: values are whole numbers.
        zero: label of a line at zero; none where empty.
        of: what is counted.
    """
    edges = bins(samples, whole=whole)
    shares = [np.histogram(sample.values, bins=edges)[0] / len(sample.values) for sample in samples]
    top = max(float(part.max()) for part in shares)
    frame = Frame(axis(edges, most=6), axis([0.0, top], most=4, share=True))
    bars = []
    for number_, (sample, part) in enumerate(zip(samples, shares, strict=True)):
        for start, end, share in zip(edges, edges[1:], part, strict=False):
            left, _ = frame.at(start, 0)
            right, base = frame.at(end, 0)
            slot = (right - left - 2) / len(samples)
            _, height = frame.at(start, float(share))
            count = round(float(share) * len(sample.values))
            title = f"{sample.label}, {number(start)} to {number(end)}: {count:,} of {len(sample.values):,}"
            if count:
                x = left + 1 + number_ * slot
                bars.append(
                    Bar(
                        round(x, 2), height, round(max(slot, 0.5), 2), round(base - height, 2), sample.style, title
                    )
                )
    posts = [
        Mark(frame.at(float(np.mean(s.values)), 0)[0], f"mean, {s.label}", f"mean {s.style}") for s in samples
    ]
    if zero and frame.x.low < 0 < frame.x.high:
        posts.insert(0, Mark(frame.at(0.0, 0)[0], zero, "rule"))
    return frame.drawing(x_label, f"share of {of}", bars=tuple(bars), posts=tuple(posts))


def legend(samples: Sequence[Sample]) -> tuple[Key, ...]:
    """What the bars and the dashed lines are."""
    keys = [Key(f"{sample.label} (n = {len(sample.values):,})", sample.style) for sample in samples]
    return (*keys, Key("mean", "mean"))


def table(samples: Sequence[Sample], *, decimals: int) -> Table:
    """Mean with interval, and quantiles."""
    rows = []
    for sample in samples:
        center = mean(sample.values)
        interval = (
            f"{fixed(center.low, decimals)} to {fixed(center.high, decimals)}"
            if math.isfinite(center.low)
            else "–"
        )
        quantiles = np.quantile(np.asarray(sample.values), [0, 0.1, 0.5, 0.9, 1])
        rows.append(
            (
                sample.label,
                f"{len(sample.values):,}",
                fixed(center.value, decimals),
                interval,
                *(fixed(float(q), decimals) for q in quantiles),
            )
        )
    head = ("", "n", "mean", "95 % interval", "least", "10 %", "median", "90 %", "most")
    return Table(head, tuple(rows))
