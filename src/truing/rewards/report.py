"""The report of a reward model's run."""

from __future__ import annotations

from pathlib import Path


def write_reward_report(folder: Path) -> Path:
    """Write ``report.html`` from the record of a run."""
    from truing.report import write_run_report

    write_run_report(folder)
    return folder / "report.html"
