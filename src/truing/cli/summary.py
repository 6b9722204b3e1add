"""The last screen of a run."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from truing.training.align import RunResult

_COLOURS = {"better": "green", "worse": "red", "changed": "yellow", "same": "dim"}


def print_summary(console: Console, result: RunResult, command: str, program: str = "align") -> None:
    """What changed, what was alarming, and where everything is.

    Args:
        console: where to.
        result: the run.
        command: recipe and overrides, as typed after ``truing align``.
        program: what was typed in place of ``align``.
    """
    if result.status == "interrupted":
        told = f"\nInterrupted. A checkpoint was written; continue with: truing {program} {command} --resume"
        console.print(told, markup=False, soft_wrap=True)
        return
    console.print()
    for finding in result.findings:
        console.print(Text.assemble((f"{finding.verdict:>8}  ", _COLOURS[finding.verdict]), finding.sentence))
    if not result.findings:
        console.print("Nothing was held out, so nothing was measured.")
    stopped = result.record.get("stopped_by")
    if stopped:
        console.print(f"\nThe run was stopped by the alarm {stopped}; the best checkpoint became the model.")
    console.print(f"\nmodel   {result.model}\nreport  {result.report}", markup=False)
