"""What labelled pairs say about one reward model, ready for the page: figures, subsets, and the surest mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from truing.report.dialogue import MOST_CHARACTERS, Piece, pieces
from truing.report.figures.figure import Figure
from truing.report.figures.interval import IntervalBar, interval_bar
from truing.report.plain import shortened, visible
from truing.report.rewards.figures import gap_figure, length_figure, reliability_figure
from truing.report.values import Values
from truing.report.wording import interval, number, percent
from truing.statistics import Estimate


@dataclass(frozen=True)
class Rate:
    """An accuracy as a row of a table.

    Attributes:
        name: whose.
        value, interval, n: as text.
        bar: the picture, against one half.
    """

    name: str
    value: str
    interval: str
    n: str
    bar: IntervalBar | None


@dataclass(frozen=True)
class WrongPair:
    """A pair in the wrong order.

    Attributes:
        id: of the record.
        subset: which it belongs to; may be empty.
        sure: how sure the model is of the wrong order, and the gap, in words; the gap alone where it is no log-odds.
        prompt: in pieces.
        chosen, rejected: the answers.
        tokens: of chosen and rejected, in words; empty where not known.
    """

    id: str
    subset: str
    sure: str
    prompt: tuple[Piece, ...]
    chosen: str
    rejected: str
    tokens: tuple[str, str]


@dataclass(frozen=True)
class Judged:
    """One reward model on labelled pairs.

    Attributes:
        name: of the model; empty where there is one only.
        figures: reliability, gaps, accuracy by length.
        subsets: accuracy of each; empty where there are fewer than two.
        macro: mean accuracy over subsets.
        benchmark: name of the benchmark that the data are, or empty.
        sections: its own sections, their mean, all pairs, and those whose better answer is the shorter one.
        mistakes: the surest first.
    """

    name: str
    figures: tuple[Figure, ...]
    subsets: tuple[Rate, ...]
    macro: str
    mistakes: tuple[WrongPair, ...]
    benchmark: str = ""
    sections: tuple[Rate, ...] = ()


def judged(
    report: Values,
    log_odds: Sequence[float],
    mistakes: Sequence[Values],
    *,
    name: str = "",
    place: int | None = None,
) -> Judged:
    """The section of a model.

    Args:
        report: what labelled pairs add up to.
        log_odds: of every pair.
        mistakes: the surest, with their texts.
        name: of the model.
        place: of the model, where there are several on a page, for the names of its figures.
    """
    odds = bool(report.parts("calibration", "bins"))
    ending = "" if place is None else f"-{place}"
    figures = (
        reliability_figure(report, f"reliability{ending}"),
        gap_figure(log_odds, f"gaps{ending}", odds=odds),
        length_figure(report, f"by-length{ending}"),
    )
    subsets = tuple(
        rate_row(subset, estimate)
        for subset, _ in report.part("subsets")
        if (estimate := report.estimate("subsets", subset)) is not None
    )
    return Judged(
        name,
        tuple(figure for figure in figures if figure is not None),
        subsets if len(subsets) > 1 else (),
        percent(report.number("macro_accuracy")),
        tuple(_wrong(mistake, odds) for mistake in mistakes),
        report.text("benchmark", "title") or "",
        _sections(report.part("benchmark")),
    )


def _sections(benchmark: Values) -> tuple[Rate, ...]:
    """The benchmark's own numbers as rows of a table."""
    known = [(name, benchmark.estimate("sections", name)) for name, _ in benchmark.part("sections")]
    known += [
        ("mean of sections", benchmark.estimate("average")),
        ("all pairs alike", benchmark.estimate("pooled")),
        ("better answer is the shorter one", benchmark.estimate("chosen_shorter")),
    ]
    return tuple(rate_row(name, estimate) for name, estimate in known if estimate is not None)


def rate_row(name: str, estimate: Estimate) -> Rate:
    """An accuracy against one half."""
    style = "better" if estimate.low > 0.5 else "worse" if estimate.high < 0.5 else "same"
    shown = percent(estimate.value)
    bar = interval_bar(
        estimate, 0.5, style, f"{name}: {shown}, interval {interval(estimate, share=True)}", share=True
    )
    return Rate(name, shown, interval(estimate, share=True), f"{estimate.n:,}", bar)


def _wrong(mistake: Values, sure: bool) -> WrongPair:
    odds = mistake.number("log_odds")
    given = mistake.raw("tokens")
    tokens = [f"{n:,} tokens" for n in given if isinstance(n, int)] if isinstance(given, list) else []
    texts = [
        shortened(visible(mistake.text(key) or ""), MOST_CHARACTERS) for key in ("prompt", "chosen", "rejected")
    ]
    return WrongPair(
        mistake.text("id") or "",
        mistake.text("subset") or "",
        _how_sure(odds, sure),
        pieces(texts[0]),
        texts[1],
        texts[2],
        (tokens[0], tokens[1]) if len(tokens) == 2 else ("", ""),
    )


def _how_sure(gap: float | None, odds: bool) -> str:
    """In words; ``odds`` says whether the gap is log-odds."""
    from scipy.special import expit

    if gap is None:
        return ""
    return (
        f"{percent(float(expit(-gap)))} sure of the wrong order (gap {number(gap)})"
        if odds
        else f"gap {number(gap)}"
    )
