"""Figures about a reward model on labelled pairs: is it as sure as it is right, how sure is it, does it count words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from truing.report.figures.axis import axis
from truing.report.figures.drawing import Dot, Frame, Mark, Path, Word
from truing.report.figures.figure import Figure, Key, Table
from truing.report.figures.histogram import Sample, draw, legend, table
from truing.report.values import Values
from truing.report.wording import fixed, interval, measured, number, percent
from truing.statistics import Estimate

_MOST_GAP = 1e6
_RATE = Key("accuracy, 95 % interval", "plain held-out")


def reliability_figure(report: Values, name: str = "reliability") -> Figure | None:
    """Accuracy against confidence; ``None`` where no pair was judged.

    Args:
        report: of one model on labelled pairs.
        name: of the figure.
    """
    found = []
    for part in report.parts("calibration", "bins"):
        accuracy, confidence = part.estimate("accuracy"), part.number("confidence")
        low, high = part.number("low"), part.number("high")
        if _is_rate(accuracy) and confidence is not None and 0.5 <= confidence <= 1 and low is not None:
            assert accuracy is not None
            found.append((low, high if high is not None else low, confidence, accuracy))
    if not found:
        return None
    frame = Frame(axis([0.5, 1.0], most=5, share=True), axis([0.0, 1.0], most=5, share=True))
    lines = [Path(frame.points([(0.5, 0.5), (1.0, 1.0)]), "ideal")]
    dots, words, rows = [], [], []
    for low, high, confidence, accuracy in found:
        label = f"{percent(low, 0)} to {percent(high, 0)} sure"
        lines.append(
            Path(frame.points([(confidence, accuracy.low), (confidence, accuracy.high)]), "plain whisker")
        )
        across, down = frame.at(confidence, accuracy.value)
        dots.append(Dot(across, down, "plain", f"{label}: right in {measured(accuracy, share=True)}"))
        words.append(Word(across, frame.bottom - 6, f"{accuracy.n:,}", "middle"))
        rows.append(
            (
                label,
                percent(confidence),
                percent(accuracy.value),
                interval(accuracy, share=True),
                f"{accuracy.n:,}",
            )
        )
    return Figure(
        name,
        "Is it as sure as it is right?",
        "Pairs by how sure the model is of its order; in each part, how often the order is right. Below the dashed "
        "line it is too sure, above it not sure enough. Small numbers: pairs in each part.",
        _calibration_reading(report),
        frame.drawing("confidence", "accuracy", lines=tuple(lines), dots=tuple(dots), words=tuple(words)),
        (_RATE, Key("confidence = accuracy", "rule")),
        Table(("confidence", "mean", "accuracy", "95 % interval", "pairs"), tuple(rows)),
    )


def gap_figure(log_odds: Sequence[float], name: str = "gaps", *, odds: bool = True) -> Figure | None:
    """How far rewards of chosen and rejected answers are apart; ``None`` where no pair was judged.

    Args:
        log_odds: of every pair.
        name: of the figure.
        odds: whether they are log-odds; else they are gaps in the reward's own units.
    """
    gaps = tuple(gap for gap in log_odds if abs(gap) < _MOST_GAP)
    if not gaps:
        return None
    sample = Sample("pairs", "plain", gaps)
    wrong = sum(gap < 0 for gap in gaps)
    return Figure(
        name,
        "How far are the rewards apart?",
        "Reward of the chosen answer minus that of the rejected one"
        + (": the log-odds that the model gives to the order that people chose" if odds else "")
        + ". Left of 0 the model contradicts them.",
        f"{wrong:,} of {len(gaps):,} pairs are left of 0.",
        draw([sample], "gap, nats" if odds else "gap, units of the reward", zero="undecided", of="pairs"),
        legend([sample]),
        table([sample], decimals=2),
    )


def length_figure(report: Values, name: str = "by-length") -> Figure | None:
    """Accuracy by how much longer the chosen answer is; ``None`` where there are too few pairs."""
    found = []
    for part in report.parts("by_length"):
        low, high, accuracy = part.count("low"), part.count("high"), part.estimate("accuracy")
        if low is not None and high is not None and _is_rate(accuracy):
            assert accuracy is not None
            found.append((fixed(low, 0) if low == high else f"{fixed(low, 0)}…{fixed(high, 0)}", accuracy))
    if len(found) < 2:
        return None
    # Parts hold about as many pairs each, so that a linear axis would squeeze most of them together.
    frame = Frame(axis([0.0, float(len(found))], tight=True, whole=True), axis([0.0, 1.0], most=5, share=True))
    lines, dots, ticks = [], [], []
    for place, (label, accuracy) in enumerate(found):
        lines.append(
            Path(frame.points([(place + 0.5, accuracy.low), (place + 0.5, accuracy.high)]), "plain whisker")
        )
        across, down = frame.at(place + 0.5, accuracy.value)
        dots.append(Dot(across, down, "plain", f"{label} tokens longer: {measured(accuracy, share=True)}"))
        ticks.append((across, label))
    drawing = frame.drawing(
        "tokens by which the chosen answer is longer",
        "accuracy",
        lines=tuple(lines),
        dots=tuple(dots),
        rules=(Mark(frame.at(0.0, 0.5)[1], "chance"),),
    )
    return Figure(
        name,
        "Does it count words?",
        "Accuracy by how much longer the chosen answer is than the rejected one. A model that likes long answers is "
        "right on the right and wrong on the left; one that likes short answers the other way round.",
        f"Rank correlation of gap and length: {measured(report.estimate('length_correlation'))}.",
        replace(drawing, x_ticks=tuple(ticks)),
        (_RATE, Key("chance", "rule")),
        Table(
            ("tokens longer", "accuracy", "95 % interval", "pairs"),
            tuple((label, percent(a.value), interval(a, share=True), f"{a.n:,}") for label, a in found),
        ),
    )


def _is_rate(estimate: Estimate | None) -> bool:
    return estimate is not None and 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def _calibration_reading(report: Values) -> str:
    own = report.part("calibration")
    told = (
        f"Mean confidence {percent(own.number('confidence'))}, accuracy {percent(report.number('accuracy', 'value'))}; "
        f"expected calibration error {percent(own.number('ece'))}."
    )
    scale = own.number("temperature")
    return told + (f" Closest where gaps are divided by {number(scale)}." if scale else "")
