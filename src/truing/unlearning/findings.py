"""What unlearning did, as findings of a run: beside the starting model, and beside one that never saw the data."""

from __future__ import annotations

from truing.evaluation.findings import Finding, Verdict
from truing.statistics import Estimate, paired_difference
from truing.unlearning.measure import ModelMeasures, UnlearningReport


def unlearning_findings(report: UnlearningReport, start: UnlearningReport) -> list[Finding]:
    """Findings about one run.

    Args:
        report: on the model that was made to forget.
        start: on the starting model, with the same questions and settings.
    """
    found = [
        _paired("forget", "what is to be forgotten", report.model, start.model, good=-1),
        _paired("retain", "what is to be kept", report.model, start.model, good=+1),
        _utility(report, start),
        _quality(report, start),
        _relearning(report),
    ]
    return [finding for finding in found if finding is not None]


def _paired(name: str, what: str, after: ModelMeasures, before: ModelMeasures, *, good: int) -> Finding | None:
    if name not in after.sets or name not in before.sets:
        return None
    new, old = (measured.sets[name].values["probability"] for measured in (after, before))
    change = paired_difference(new, old)
    verdict: Verdict = "same"
    if change.excludes_zero:
        verdict = "better" if (change.value > 0) == (good > 0) else "worse"
    sentence = (
        f"The probability of answers about {what} went from {old.mean():.3f} to {new.mean():.3f}, by "
        f"{change.value:+.3f} ({_interval(change)}, {change.n} questions)."
    )
    return _finding(f"probability of answers, {name} set", verdict, sentence, change)


def _utility(report: UnlearningReport, start: UnlearningReport) -> Finding | None:
    new, old = report.utility, start.utility
    if new is None or old is None:
        return None
    sentence = (
        f"Utility on what is to be kept is {new.value:.3f} ({_interval(new)}); the starting model has "
        f"{old.value:.3f} ({_interval(old)})."
    )
    return _finding("utility", _apart(new, old, good=+1), sentence, new)


def _quality(report: UnlearningReport, start: UnlearningReport) -> Finding | None:
    new, old = report.forget_quality, start.forget_quality
    if new is None or old is None:
        return None
    told = "can be told" if new.p_value < 0.05 else "cannot be told"
    verdict: Verdict = "same"
    if (new.p_value < 0.05) != (old.p_value < 0.05):
        verdict = "better" if new.p_value >= 0.05 else "worse"
    sentence = (
        f"By its truth ratios the model {told} from one that was trained without the forget set: p = "
        f"{new.p_value:.3g}, D = {new.statistic:.2f} (95 % interval {new.low:.2f} to {new.high:.2f}); the starting "
        f"model has p = {old.p_value:.3g}. {new.n} questions show a distance of {new.detectable:.2f} or more."
    )
    return _finding("forget quality", verdict, sentence, Estimate(new.statistic, new.low, new.high, new.n))


def _relearning(report: UnlearningReport) -> Finding | None:
    own = report.model.relearning
    if own is None:
        return None
    beside = ""
    if report.retrained is not None and report.retrained.relearning is not None:
        other = report.retrained.relearning.change
        beside = f"; that of the model without the forget set by {other.value:+.3f} ({_interval(other)})"
    sentence = (
        f"Teaching {own.taught} of the answers again raised the probability of the others by {own.change.value:+.3f} "
        f"({_interval(own.change)}, {own.change.n} questions){beside}."
    )
    return _finding("relearning", "changed" if own.change.excludes_zero else "same", sentence, own.change)


def _apart(new: Estimate, old: Estimate, *, good: int) -> Verdict:
    """Better or worse only where the two intervals do not meet, which errs on the side of "same"."""
    if new.low > old.high:
        return "better" if good > 0 else "worse"
    if new.high < old.low:
        return "worse" if good > 0 else "better"
    return "same"


def _interval(value: Estimate) -> str:
    return f"95 % interval {value.low:.3f} to {value.high:.3f}"


def _finding(name: str, verdict: Verdict, sentence: str, value: Estimate) -> Finding:
    return Finding(name, verdict, sentence, value.value, value.low, value.high, value.n)
