"""Estimates over ranges of positions that double: 1, 2, 3–4, 5–8 and so on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from truing.report.figures.axis import axis
from truing.report.figures.drawing import Dot, Frame, Path
from truing.report.figures.figure import Figure, Table
from truing.report.wording import interval, measured, number, percent
from truing.statistics import Estimate


def ranges_figure(
    name: str,
    title: str,
    about: str,
    reading: str,
    points: Sequence[tuple[str, Estimate]],
    unit: str,
    *,
    share: bool = False,
) -> Figure:
    """One line with intervals; ranges stand side by side, as a linear axis would hide the first.

    Args:
        name, title, about, reading, unit: see :class:`Figure`.
        points: label of each range, and what was measured there.
        share: values are shares, shown as per cent.
    """
    known = [end for _, e in points for end in (e.value, e.low, e.high) if math.isfinite(end)]
    # Where everything is 0 an axis around it would reach below, where no share can be.
    up = axis([0.0, max(known, default=0.0) or 1.0, *known], share=share)
    frame = Frame(axis([0.0, float(len(points))], tight=True, whole=True), up)
    lines = [Path(frame.points([(place + 0.5, e.value) for place, (_, e) in enumerate(points)]), "plain held-out")]
    dots, ticks = [], []
    for place, (label, e) in enumerate(points):
        if math.isfinite(e.low):
            lines.append(Path(frame.points([(place + 0.5, e.low), (place + 0.5, e.high)]), "plain whisker"))
        across, down = frame.at(place + 0.5, e.value)
        dots.append(Dot(across, down, "plain held-out", f"{label}: {measured(e, share=share)}"))
        ticks.append((across, label))
    drawing = frame.drawing("position in the answer, tokens", unit, lines=tuple(lines), dots=tuple(dots))
    spoken = percent if share else number
    rows = tuple((label, spoken(e.value), interval(e, share=share), f"{e.n:,}") for label, e in points)
    return Figure(
        name,
        title,
        about,
        reading,
        replace(drawing, x_ticks=tuple(ticks)),
        (),
        Table(("position", unit, "95 % interval", "answers"), rows),
    )
