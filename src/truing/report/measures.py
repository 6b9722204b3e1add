"""The findings of a run as rows of a scorecard: number, interval, n, verdict."""

from __future__ import annotations

from dataclasses import dataclass

from truing.report.figures.interval import IntervalBar, interval_bar
from truing.report.reading import Run
from truing.report.values import Values
from truing.report.wording import interval, typeset, value_of
from truing.statistics import Estimate

VERDICTS = {"better": "better", "worse": "worse", "changed": "changed", "same": "no clear change"}


@dataclass(frozen=True)
class Unit:
    """How a measure is written.

    Attributes:
        text: after the number.
        none: the value if training had changed nothing.
        share: written as per cent.
    """

    text: str = ""
    none: float = 0.0
    share: bool = False


@dataclass(frozen=True)
class Measure:
    """One measured change.

    Attributes:
        name: what was measured.
        verdict: better, worse, changed or same.
        label: the verdict in words.
        sentence: the finding in plain words.
        value, interval, n: as text.
        bar: the picture of the interval.
    """

    name: str
    verdict: str
    label: str
    sentence: str
    value: str
    interval: str
    n: str
    bar: IntervalBar | None


_UNITS = {
    "win rate": Unit(none=0.5, share=True),
    "held-out preference accuracy": Unit(none=0.5, share=True),
    "distance": Unit("nats an answer"),
    "answer length": Unit("tokens"),
    "likelihood of chosen answers": Unit("nats a token"),
    "repetition": Unit("of 4-grams"),
    "accuracy": Unit(none=0.5, share=True),
    "calibration": Unit(share=True),
    "length": Unit("rank correlation"),
}


def measures(run: Run) -> list[Measure]:
    """All findings, in the order of the record: better, worse, changed, no clear change."""
    return [_measure(finding) for finding in run.record.parts("findings")]


def of_verdict(found: list[Measure], verdict: str) -> list[Measure]:
    """Those of one verdict."""
    return [measure for measure in found if measure.verdict == verdict]


def _measure(finding: Values) -> Measure:
    name = finding.text("name") or "unnamed"
    verdict = finding.text("verdict") or ""
    style = verdict if verdict in VERDICTS else "same"
    unit = _UNITS.get(name, Unit("logits" if name.endswith(" score") else ""))
    estimate = _estimate(finding)
    bar = None
    shown, between = "not measured", "not measured"
    if estimate is not None:
        shown = value_of(estimate, share=unit.share) + (f" {unit.text}" if unit.text else "")
        between = interval(estimate, share=unit.share)
        bar = interval_bar(estimate, unit.none, style, f"{name}: {shown}, interval {between}", share=unit.share)
    return Measure(
        name,
        style,
        VERDICTS.get(verdict, verdict or "not measured"),
        typeset(finding.text("sentence") or f"{name}: {shown}."),
        shown,
        between,
        f"{estimate.n:,}" if estimate is not None and estimate.n else "–",
        bar,
    )


def _estimate(finding: Values) -> Estimate | None:
    return Values({"it": finding.content}).estimate("it")
