"""Figures of an arena: what a win rate costs in distance, and how methods bear damaged data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from truing.arenas.results import STARTING_MODEL
from truing.arenas.words import MEASURES, Record, estimate, main_measure
from truing.report.figures.axis import axis
from truing.report.figures.drawing import Dot, Frame, Mark, Path, Word
from truing.report.figures.figure import Figure, Key, Table
from truing.report.wording import listed, measured, number, percent
from truing.statistics import Estimate


@dataclass(frozen=True)
class Point:
    """A method between the two axes.

    Attributes:
        name: of the method.
        number: under which the table lists it.
        x: KL from the starting model.
        y: win rate, or accuracy.
    """

    name: str
    number: int
    x: Estimate
    y: Estimate


def front(points: Sequence[Point]) -> list[Point]:
    """The points that no other beats in both: nearer and at least as good, or better and at least as near."""
    return sorted(
        (
            p
            for p in points
            if not any(
                (q.x.value <= p.x.value and q.y.value > p.y.value)
                or (q.x.value < p.x.value and q.y.value >= p.y.value)
                for q in points
            )
        ),
        key=lambda p: p.x.value,
    )


def pareto(track: Record) -> Figure | None:
    """Win rate against KL; ``None`` where one of them was not measured."""
    measure = main_measure(track)
    if measure is None:
        return None
    points = []
    numbers = {place["name"]: i for i, place in enumerate(track["rankings"][measure]["places"], start=1)}
    for method in track["methods"]:
        x, y = estimate(method, "kl"), estimate(method, measure)
        if x is not None and y is not None:
            points.append(Point(method["name"], numbers[method["name"]], x, y))
    if not points:
        return None
    points.append(Point(STARTING_MODEL, numbers[STARTING_MODEL], _known(0.0), _known(0.5)))
    points.sort(key=lambda p: p.number)
    best = front(points)
    frame = Frame(
        axis([0.0, *(end for p in points for end in _ends(p.x))], most=6),
        axis([0.5, *(end for p in points for end in _ends(p.y))], share=True),
    )
    lines = [Path(frame.points([(p.x.value, p.y.value) for p in best]), "front")]
    dots, words = [], []
    for p in points:
        role = "leading" if p in best else "plain"
        lines.append(Path(frame.points([(p.x.value, end) for end in _ends(p.y)]), "reach"))
        lines.append(Path(frame.points([(end, p.y.value) for end in _ends(p.x)]), "reach"))
        across, down = frame.at(p.x.value, p.y.value)
        title = f"{p.name}: {MEASURES[measure]} {measured(p.y, share=True)}, KL {measured(p.x, 'nats')}"
        dots.append(Dot(across, down, role, title))
        words.append(Word(across + 5, down - 5, str(p.number), role))
    half = Mark(frame.at(0, 0.5)[1], "no better than the starting model")
    rows = [
        (f"{p.number}", p.name, number(p.x.value), percent(p.y.value), "yes" if p in best else "") for p in points
    ]
    return Figure(
        f"pareto-{track['label']}",
        f"{MEASURES[measure].capitalize()} against distance",
        "Each point is a method, numbered as in the table; bars are 95 % intervals. Up is better, left is nearer to "
        "the starting model, which stands at zero. Far from it, a judge is easily deceived.",
        f"On the front, from near to far: {listed([p.name for p in best])}. One of these beats every other method in "
        "both, by the point estimates.",
        frame.drawing(
            "KL from the starting model, nats an answer",
            MEASURES[measure],
            lines=tuple(lines),
            dots=tuple(dots),
            rules=(half,),
            words=tuple(words),
        ),
        (Key("on the front", "leading"), Key("beaten by one on it", "plain"), Key("one half", "rule")),
        Table(("number", "method", "KL", MEASURES[measure], "on the front"), tuple(rows)),
    )


def _known(value: float) -> Estimate:
    """A number that holds by definition."""
    return Estimate(value, value, value, 0)


def _ends(estimate: Estimate) -> tuple[float, float]:
    """The interval; the value twice where it is unknown."""
    known = math.isfinite(estimate.low) and math.isfinite(estimate.high)
    return (estimate.low, estimate.high) if known else (estimate.value, estimate.value)
