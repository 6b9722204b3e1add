"""Whether a run that was to forget did so, for the summary in plain words."""

from __future__ import annotations

from truing.report.measures import Measure
from truing.report.reading import Run

ABOUT_FORGETTING = ("probability of answers, forget set", "forget quality", "relearning")
"""Findings that answer the question; see :mod:`truing.unlearning.findings`."""

_HEADLINES = {
    "better": ("Yes: what was to be forgotten became less probable.", "good"),
    "worse": ("No: what was to be forgotten became more probable.", "bad"),
    "same": ("Not shown: what was to be forgotten is as probable as before.", "plain"),
}


def forgetting(run: Run, found: list[Measure]) -> tuple[str, str, tuple[str, ...]] | None:
    """Headline, level and sentences; ``None`` for a run that measured no forgetting.

    A low probability alone is easily had, which is why the other findings stand beside it.

    Args:
        run: what the report is about.
        found: its scorecard.
    """
    if run.record.raw("unlearning") is None:
        return None
    about = [measure for name in ABOUT_FORGETTING for measure in found if measure.name == name]
    if not about or about[0].verdict not in _HEADLINES:
        return None
    headline, level = _HEADLINES[about[0].verdict]
    return headline, level, tuple(measure.sentence for measure in about)
