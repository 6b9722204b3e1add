"""Curves over the steps of a run: training and held-out, chosen and rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from truing.diagnostics.history import Series
from truing.report.figures.axis import axis
from truing.report.figures.drawing import Dot, Drawing, Frame, Mark, Path
from truing.report.figures.figure import Key, Table
from truing.report.wording import number, percent

Role = Literal["plain", "chosen", "rejected"]
Split = Literal["training", "held-out"]

_MOST_POINTS = 150
_MOST_DOTS = 40
_MOST_ROWS = 60


@dataclass(frozen=True)
class Curve:
    """One metric by step.

    Attributes:
        role: decides the colour.
        split: training is a thin line, held-out a bold one with dots.
        series: its values.
        band: low and high end of the 95 % interval at every step; empty where unknown.
    """

    role: Role
    split: Split
    series: Series
    band: tuple[tuple[float, float], ...] = ()

    @property
    def label(self) -> str:
        return self.split if self.role == "plain" else f"{self.role}, {self.split}"

    @property
    def style(self) -> str:
        return f"{self.role} {self.split}"


@dataclass(frozen=True)
class Level:
    """A horizontal line that means something: chance, a budget, where training began."""

    value: float
    label: str


def settled(series: Series) -> Series:
    """The series with rounding errors around zero (below a millionth of its largest value) as zeros."""
    least = 1e-6 * max((abs(value) for value in series.values), default=0.0)
    return Series(series.steps, tuple(value if abs(value) > least else 0.0 for value in series.values))


def stretch(series: Series) -> int:
    """How many values one drawn point stands for."""
    return max(1, -(-len(series) // _MOST_POINTS))


def thinned(series: Series) -> Series:
    """The series itself, or means over equal stretches of it where it has too many points to draw."""
    size = stretch(series)
    if size == 1:
        return series
    starts = range(0, len(series), size)
    means = (series.values[s : s + size] for s in starts)
    return Series(
        tuple(series.steps[min(s + size, len(series)) - 1] for s in starts),
        tuple(sum(value / len(part) for value in part) for part in means),
    )


def draw(curves: Sequence[Curve], unit: str, levels: Sequence[Level] = (), *, share: bool = False) -> Drawing:
    """The curves in one frame.

    Args:
        curves: at least one, none of them empty.
        unit: what the vertical axis shows.
        levels: reference lines; see :func:`shown`.
        share: values are shares, shown as per cent.
    """
    parts = [(curve, thinned(curve.series)) for curve in curves]
    kept = shown(curves, levels)
    steps = [float(step) for _, series in parts for step in series.steps]
    frame = Frame(
        axis(steps, most=6, whole=True, tight=True),
        axis([*_values(curves), *(level.value for level in kept)], share=share),
    )
    bands, lines, dots = [], [], []
    for curve, series in parts:
        pairs = list(zip((float(step) for step in series.steps), series.values, strict=True))
        if len(curve.band) == len(pairs):
            lows = [(x, low) for (x, _), (low, _) in zip(pairs, curve.band, strict=True)]
            highs = [(x, high) for (x, _), (_, high) in zip(pairs, curve.band, strict=True)]
            bands.append(Path(frame.points(highs + lows[::-1]), curve.style))
        lines.append(Path(frame.points(pairs), curve.style))
        if (curve.split == "held-out" and len(pairs) <= _MOST_DOTS) or len(pairs) == 1:
            dots += [
                Dot(*frame.at(x, y), curve.style, f"step {x:,.0f}, {curve.label}: {_text(y, share)}")
                for x, y in pairs
            ]
    rules = tuple(Mark(frame.at(frame.x.low, level.value)[1], level.label) for level in kept)
    return frame.drawing(
        "optimiser step", unit, bands=tuple(bands), lines=tuple(lines), dots=tuple(dots), rules=rules
    )


def legend(curves: Sequence[Curve], levels: Sequence[Level] = ()) -> tuple[Key, ...]:
    """What the lines are, reference lines included; nothing where there is only one line."""
    keys = (
        *(Key(c.label, c.style) for c in curves),
        *(Key(level.label, "rule") for level in shown(curves, levels)),
    )
    return keys if len(keys) > 1 else ()


def shown(curves: Sequence[Curve], levels: Sequence[Level]) -> list[Level]:
    """The reference lines near enough to the values not to flatten the curves."""
    values = _values(curves)
    low, high = min(values), max(values)
    return [level for level in levels if low - (high - low) <= level.value <= high + (high - low)]


def table(curves: Sequence[Curve], *, share: bool = False) -> Table:
    """The values by step, thinned to what a page can hold."""
    columns = [dict(zip(curve.series.steps, curve.series.values, strict=True)) for curve in curves]
    steps = sorted(set().union(*columns))
    every = max(1, -(-len(steps) // _MOST_ROWS))
    kept = steps[::every] if (len(steps) - 1) % every == 0 else [*steps[::every], steps[-1]]
    rows = [(f"{step:,}", *(_text(c[step], share) if step in c else "" for c in columns)) for step in kept]
    note = f"Every {every}th of {len(steps):,} steps; all are in metrics.jsonl." if every > 1 else ""
    return Table(("step", *(curve.label for curve in curves)), tuple(rows), note)


def _values(curves: Sequence[Curve]) -> list[float]:
    """Everything that is drawn: values, and ends of intervals."""
    values = [value for curve in curves for value in thinned(curve.series).values]
    return values + [end for curve in curves for pair in curve.band for end in pair]


def _text(value: float, share: bool) -> str:
    return percent(value) if share else number(value)
