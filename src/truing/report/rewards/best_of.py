"""The figure of what picking the best of n answers by a reward brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from truing.report.figures.axis import axis
from truing.report.figures.drawing import Dot, Frame, Path
from truing.report.figures.figure import Figure, Key, Table
from truing.report.values import Values
from truing.report.wording import interval, measured, number, percent, plural
from truing.statistics import Estimate

_COLOURS = 8

Point = tuple[int, Estimate, float | None]


def best_of_figure(curves: Values) -> Figure | None:
    """Scores of the pick by n, one line a model; ``None`` where no curve has two points.

    Args:
        curves: by name, as in reward.json.
    """
    found = [(name, points) for name, _ in curves if len(points := list(_points(curves.part(name)))) > 1]
    if not found:
        return None
    counts = sorted({n for _, points in found for n, _, _ in points})
    places = {n: place + 0.5 for place, n in enumerate(counts)}  # n doubles, so that steps are of equal width
    ends = [end for _, points in found for _, gold, _ in points for end in (gold.low, gold.high)]
    frame = Frame(axis([0.0, float(len(counts))], tight=True, whole=True), axis(ends))
    lines, dots, keys, rows = [], [], [], []
    for order, (name, points) in enumerate(found):
        colour = f"series-{order % _COLOURS + 1}"
        style = f"{colour} held-out"
        shift = 0.3 * ((order + 0.5) / len(found) - 0.5)  # side by side, so that intervals do not hide each other
        lines.append(Path(frame.points([(places[n] + shift, gold.value) for n, gold, _ in points]), style))
        for n, gold, proxy in points:
            x = places[n] + shift
            ends_of = [(x, gold.low), (x, gold.high)]
            lines.append(Path(frame.points(ends_of), f"{colour} whisker"))
            dots.append(Dot(*frame.at(x, gold.value), style, f"{name}, best of {n}: {measured(gold)}"))
            rows.append((name, str(n), number(gold.value), interval(gold), number(proxy)))
        keys.append(Key(name, style))
    drawing = frame.drawing("answers to pick from, n", "score in the data", lines=tuple(lines), dots=tuple(dots))
    prompts = curves.part(found[0][0]).count("prompts")
    return Figure(
        "best-of-n",
        "What does picking by it bring?",
        "A model picks the best of n answers; the data's own scores say what the pick is worth. A line that rises and "
        "then falls is over-optimised: the more there is to pick from, the more it picks what only looks good. Exact "
        f"over all subsets of n answers; intervals over {plural(prompts, 'prompt') if prompts else 'prompts'}.",
        _reading(curves, [name for name, _ in found]),
        replace(drawing, x_ticks=tuple((frame.at(place, frame.y.low)[0], str(n)) for n, place in places.items())),
        tuple(keys),
        Table(("picked by", "n", "score in the data", "95 % interval", "own reward"), tuple(rows)),
    )


def _points(curve: Values) -> Iterator[Point]:
    sizes, gold, proxy = curve.raw("n"), curve.parts("gold"), curve.raw("proxy")
    own = proxy if isinstance(proxy, list) else []
    for place, (n, part) in enumerate(zip(sizes if isinstance(sizes, list) else [], gold, strict=False)):
        estimate = Values({"it": part.content}).estimate("it")
        if isinstance(n, int) and n > 0 and estimate is not None and estimate.low <= estimate.high:
            yield n, estimate, Values({"it": own[place]}).number("it") if place < len(own) else None


def _reading(curves: Values, names: list[str]) -> str:
    """The pick that gains most."""
    known = [(gain, name) for name in names if (gain := curves.estimate(name, "gain")) is not None]
    if not known:
        return ""
    gain, name = max(known, key=lambda pair: pair[0].value)
    share = curves.number(name, "share", "value")
    told = f"Largest gain over a random answer, {name}: {measured(gain)}"
    return told + (f", {percent(share, 0)} of what is possible." if share is not None else ".")
