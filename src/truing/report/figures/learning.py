"""Figures over the steps of training: what each shows, and how it is drawn from metrics.jsonl."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from truing.report.figures.curves import Curve, Level, Role, draw, legend, settled, stretch, table
from truing.report.figures.figure import Figure, Group
from truing.report.reading import Run
from truing.report.wording import number, percent
from truing.statistics import rate

_PAIRED: tuple[tuple[Role, str], ...] = (("chosen", "/chosen"), ("rejected", "/rejected"))


@dataclass(frozen=True)
class Spec:
    """What one figure shows.

    Attributes:
        name: identifier.
        title: short.
        metric: its name in metrics.jsonl; with ``sides``, without ``/chosen`` and ``/rejected``.
        unit: label of the vertical axis.
        about: how to read it.
        sides: one line each for chosen and rejected answers.
        share: values are shares.
        levels: reference lines of a run.
        counts_records: values are shares of held-out records, so that their interval is known.
        peak: the largest value is told, too.
        special: only some objectives log it, so that its absence is no loss.
    """

    name: str
    title: str
    metric: str
    unit: str
    about: str
    sides: bool = False
    share: bool = False
    levels: Callable[[Run], list[Level]] | None = None
    counts_records: bool = False
    peak: bool = False
    special: bool = False


def groups(run: Run, sets: Sequence[tuple[str, Sequence[Spec]]]) -> tuple[list[Group], list[str]]:
    """The figures that the run's metrics allow, and the titles of those that they do not.

    Args:
        run: whose metrics.
        sets: questions, and the figures that answer them.
    """
    found, missing = [], []
    for title, specs in sets:
        figures = []
        for spec in specs:
            made = figure(run, spec)
            if made is not None:
                figures.append(made)
            elif not spec.special:
                missing.append(spec.title.lower())
        if figures:
            found.append(Group(title, tuple(figures)))
    return found, missing


def figure(run: Run, spec: Spec) -> Figure | None:
    """One figure; ``None`` where its metric was not logged."""
    curves = _curves(run, spec)
    if not curves:
        return None
    levels = spec.levels(run) if spec.levels else []
    return Figure(
        spec.name,
        spec.title,
        " ".join([spec.about, *_averaged(curves)]),
        _reading(curves, spec),
        draw(curves, spec.unit, levels, share=spec.share),
        legend(curves, levels),
        table(curves, share=spec.share),
    )


def _curves(run: Run, spec: Spec) -> list[Curve]:
    records = run.record.count("plan", "data", "held_out_rows") or 0
    found: list[Curve] = []
    sides: Sequence[tuple[Role, str]] = _PAIRED if spec.sides else (("plain", ""),)
    for role, ending in sides:
        training = run.history.series(f"{spec.metric}{ending}")
        held_out = run.history.series(f"eval_{spec.metric}{ending}")
        if len(training):
            found.append(Curve(role, "training", settled(training)))
        if len(held_out):
            band: tuple[tuple[float, float], ...] = ()
            if spec.counts_records and records > 0 and all(0 <= value <= 1 for value in held_out.values):
                estimates = [rate(round(value * records), records) for value in held_out.values]
                band = tuple((estimate.low, estimate.high) for estimate in estimates)
            found.append(Curve(role, "held-out", settled(held_out), band))
    return found


def _averaged(curves: Sequence[Curve]) -> list[str]:
    """A sentence where curves were too long to be drawn point by point."""
    size = max((stretch(curve.series) for curve in curves if curve.split == "training"), default=1)
    return [f"Training is drawn as means over {size:,} records."] if size > 1 else []


def _reading(curves: Sequence[Curve], spec: Spec) -> str:
    """From where to where, on held-out data if there is any."""
    show = percent if spec.share else number
    split = "held-out" if any(curve.split == "held-out" for curve in curves) else "training"
    told = []
    for curve in curves:
        if curve.split != split:
            continue
        values = curve.series.values
        text = f"from {show(values[0])} to {show(values[-1])}" if len(values) > 1 else show(values[-1])
        text += f", at most {show(max(values))}" if spec.peak and len(values) > 1 else ""
        told.append(text if curve.role == "plain" else f"{curve.role} {text}")
    return f"{split.capitalize()}: {'; '.join(told)}."


def chance(run: Run) -> list[Level]:
    """Where a guess would be."""
    return [Level(0.5, "chance")]


def clipping(run: Run) -> list[Level]:
    """The gradient norm above which it is clipped."""
    norm = run.record.number("recipe", "training", "max_grad_norm")
    return [] if norm is None else [Level(norm, "clipped to this")]


OPTIMISATION: tuple[str, tuple[Spec, ...]] = (
    "Was the optimisation sound?",
    (
        Spec(
            "gradient",
            "Gradient norm",
            "grad_norm",
            "norm before clipping",
            "Spikes point to single hard batches, a value of 0 to a saturated loss.",
            levels=clipping,
            peak=True,
        ),
        Spec("learning-rate", "Learning rate", "learning_rate", "learning rate", "As scheduled.", peak=True),
    ),
)
