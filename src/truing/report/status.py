"""How the run ended, said at the top of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from truing.report.reading import Run
from truing.report.wording import plural

Level = Literal["good", "attention", "bad"]


@dataclass(frozen=True)
class Status:
    """The end of a run.

    Attributes:
        word: one or two words for the label.
        level: decides the colour.
        sentence: what a reader must know before anything else; empty where the run simply finished.
        detail: the error of a failed run.
    """

    word: str
    level: Level
    sentence: str = ""
    detail: str = ""


def status_of(run: Run) -> Status:
    """What became of the run."""
    kind = run.record.text("status")
    where = _progress(run)
    if kind == "finished":
        return Status("finished", "good")
    if kind == "stopped":
        alarm = run.record.text("stopped_by")
        by = f"by the alarm {alarm}" if alarm else "by an alarm"
        kept = run.record.count("kept_step")
        weights = f" The weights of step {kept:,} became the model." if kept is not None else ""
        return Status("stopped early", "attention", f"This run was stopped {by} {where}.{weights}")
    if kind == "failed":
        return Status(
            "failed",
            "bad",
            f"This run failed {where}. Nothing below describes a trained model.",
            run.record.text("error") or "",
        )
    if kind == "interrupted":
        return Status(
            "interrupted",
            "attention",
            f"This run was interrupted {where}. It can be continued with --resume; "
            "what a finished run measures is missing here.",
            run.record.text("error") or "",
        )
    if kind == "running":
        return Status(
            "unfinished",
            "attention",
            f"This run had not ended when the report was written ({where}). Either it is still running, or it was "
            "killed; then it can be continued with --resume.",
        )
    return Status(
        "unknown state", "attention", "run.json does not say how this run ended. Read what follows with care."
    )


def _progress(run: Run) -> str:
    if not run.history.records:
        return "before its first step was logged"
    total = f" of {run.steps:,}" if run.steps else ""
    return f"after {plural(run.last_step, 'step')}{total}"
