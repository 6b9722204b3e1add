"""What labelled pairs tell about a reward, in sentences."""

from __future__ import annotations

import math

from truing.evaluation.findings import Finding, Verdict
from truing.rewards.evaluation.best_of import BestOf
from truing.rewards.evaluation.pairs import PairReport
from truing.statistics import Estimate

WELL_CALIBRATED = 0.05
"""Expected calibration error below which nothing is said to be amiss."""


def pair_findings(report: PairReport) -> list[Finding]:
    """Accuracy, calibration and reliance on length."""
    accuracy = report.accuracy
    found = [
        finding(
            "accuracy",
            "better" if accuracy.low > 0.5 else "worse" if accuracy.high < 0.5 else "same",
            f"It puts {accuracy.value:.1%} of the pairs in the order that people chose (95 % interval "
            f"{accuracy.low:.1%} to {accuracy.high:.1%}, {accuracy.n} pairs; chance is 50 %).",
            accuracy,
        )
    ]
    own = report.calibration
    if own.bins:
        good = own.ece < WELL_CALIBRATED
        advice = (
            ""
            if good or not 0 < own.temperature < math.inf
            else (f"; dividing its gaps by {own.temperature:.3g} would bring the two closest")
        )
        estimate = Estimate(own.ece, float("nan"), float("nan"), accuracy.n)
        found.append(
            finding(
                "calibration",
                "same" if good else "worse",
                f"It is on average {own.confidence:.1%} sure; its confidence and its accuracy differ by {own.ece:.1%} "
                f"(expected calibration error{advice}).",
                estimate,
            )
        )
    length = report.length_correlation
    if math.isfinite(length.value):
        follows = length.excludes_zero
        found.append(
            finding(
                "length",
                "changed" if follows else "same",
                f"Its gaps {'follow' if follows else 'do not follow'} length (rank correlation {length.value:.2f}, "
                f"95 % interval {length.low:.2f} to {length.high:.2f}){_by_length(report)}.",
                length,
            )
        )
    return found


def _by_length(report: PairReport) -> str:
    """Accuracy where the chosen answer is the shorter one, and where it is the longer one; what there are pairs of."""
    shorter, longer = (
        f"{own.value:.1%}" if own.n else "" for own in (report.chosen_shorter, report.chosen_longer)
    )
    if shorter and longer:
        return (
            f"; where the chosen answer is the shorter one it is right in {shorter}, where it is the longer one in "
            f"{longer}"
        )
    word = "shorter" if shorter else "longer"
    return (
        f"; where the chosen answer is the {word} one it is right in {shorter or longer}"
        if shorter or longer
        else ""
    )


def best_of_sentence(curve: BestOf) -> str:
    """What picking by a reward brings."""
    last, first = curve.gold[-1], curve.gold[0]
    told = (
        f"the best of {curve.n[-1]} scores {last.value:.3g} where a random one scores {first.value:.3g} "
        f"(gain {curve.gain.value:.2g}, 95 % interval {curve.gain.low:.2g} to {curve.gain.high:.2g}, "
        f"{curve.prompts} prompts)"
    )
    if math.isfinite(curve.share.value):
        told += f", {curve.share.value:.0%} of what the data's own scores would gain"
    if curve.over_optimised:
        told += (
            f". Beyond {curve.peak} answers the pick gets worse again: over-optimisation"
            if curve.peak > 1
            else ". Picking by it is worse than picking at random"
        )
    return told + "."


def finding(name: str, verdict: Verdict, sentence: str, estimate: Estimate) -> Finding:
    return Finding(name, verdict, sentence, estimate.value, estimate.low, estimate.high, estimate.n)
