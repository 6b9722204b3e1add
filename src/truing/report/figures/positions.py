"""The figure of how far the trained model is from the starting one at each position of its answers."""

from __future__ import annotations

from dataclasses import replace

from truing.report.figures.axis import axis
from truing.report.figures.drawing import Bar, Frame
from truing.report.figures.figure import Figure, Table
from truing.report.reading import Run
from truing.report.wording import number


def positions_figure(run: Run) -> Figure | None:
    """KL by position; ``None`` where it was not measured."""
    found = []
    for part in run.record.parts("evaluation", "kl_by_position"):
        first, last, kl = part.count("first"), part.count("last"), part.estimate()
        if first is not None and last is not None and kl is not None and 0 < first <= last and 0 <= kl.value < 1e6:
            found.append((str(first) if first == last else f"{first}–{last}", kl))
    if len(found) < 2:
        return None
    vertical = axis([0.0, *(kl.value for _, kl in found)])
    # Ranges double, so that a linear axis of positions would hide the first: bars stand side by side.
    frame = Frame(axis([0.0, float(len(found))], tight=True, whole=True), vertical)
    bars, ticks = [], []
    for place, (label, kl) in enumerate(found):
        left, top = frame.at(place + 0.15, kl.value)
        right, bottom = frame.at(place + 0.85, 0.0)
        title = f"position {label}: {number(kl.value)} nats per token, {kl.n:,} answers"
        bars.append(Bar(left, top, round(right - left, 2), round(bottom - top, 2), "after", title))
        ticks.append((frame.at(place + 0.5, 0.0)[0], label))
    drawing = frame.drawing("position in the answer, tokens", "KL, nats per token", bars=tuple(bars))
    values = [kl.value for _, kl in found]
    return Figure(
        "kl-by-position",
        "Distance by position",
        "How far the trained model is from the starting one at each position of its own answers. A change at the first "
        "tokens alone is shallow: what follows is still the starting model's.",
        f"First token: {number(values[0])}; last range: {number(values[-1])} nats per token.",
        replace(drawing, x_ticks=tuple(ticks)),
        (),
        Table(
            ("position", "KL, nats per token", "95 % interval", "answers"),
            tuple(
                (label, number(kl.value), f"{number(kl.low)} to {number(kl.high)}", f"{kl.n:,}")
                for label, kl in found
            ),
        ),
    )
