"""What labelled pairs tell about a reward, in sentences."""

from __future__ import annotations

import math

from truing.evaluation.findings import Finding, Verdict
from truing.rewards.evaluation.pairs import PairReport
from truing.statistics import Estimate

WELL_CALIBRATED = 0.05
"""Expected calibration error below which nothing is said to be amiss."""


def pair_findings(report: PairReport) -> list[Finding]:
    """Accuracy, calibration and reliance on length."""
    accuracy = report.accuracy
    found = [
        _finding(
            "accuracy",
            "better" if accuracy.low > 0.5 else "worse" if accuracy.high < 0.5 else "same",
            f"It puts {accuracy.value:.1%} of held-out pairs in the order that people chose (95 % interval "
            f"{accuracy.low:.1%} to {accuracy.high:.1%}, {accuracy.n} pairs; chance is 50 %).",
            accuracy,
        )
    ]
    own = report.calibration
    if own.bins:
        good = own.ece < WELL_CALIBRATED
        advice = (
            ""
            if good or not math.isfinite(own.temperature)
            else (f"; dividing its gaps by {own.temperature:.3g} would bring the two closest")
        )
        estimate = Estimate(own.ece, float("nan"), float("nan"), accuracy.n)
        found.append(
            _finding(
                "calibration",
                "same" if good else "worse",
                f"It is on average {own.confidence:.1%} sure; its confidence and its accuracy differ by {own.ece:.1%} "
                f"(expected calibration error{advice}).",
                estimate,
            )
        )
    length = report.length_correlation
    if length.n:
        follows = length.excludes_zero
        found.append(
            _finding(
                "length",
                "changed" if follows else "same",
                f"Its gaps {'follow' if follows else 'do not follow'} length (rank correlation {length.value:.2f}, "
                f"95 % interval {length.low:.2f} to {length.high:.2f}); where the chosen answer is the shorter one it "
                f"is right in {report.chosen_shorter.value:.1%}, where it is the longer one in "
                f"{report.chosen_longer.value:.1%}.",
                length,
            )
        )
    return found


def _finding(name: str, verdict: Verdict, sentence: str, estimate: Estimate) -> Finding:
    return Finding(name, verdict, sentence, estimate.value, estimate.low, estimate.high, estimate.n)
