"""From a run's folder to its report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from truing.errors import RunError
from truing.report.page import page
from truing.report.plain import visible_throughout
from truing.report.reading import Run, read_run
from truing.report.rewards.run_page import reward_page
from truing.report.rewards.summary import summarise_reward
from truing.report.status import status_of
from truing.report.summary import Summary, alarm_counts, summarise
from truing.writing import write_text

FILE = "report.html"

_Kind = tuple[Callable[[Run], Summary], Callable[[Run, Summary], str]]
_POLICY: _Kind = (summarise, page)
_BY_TASK: dict[str, _Kind] = {"text-classification": (summarise_reward, reward_page)}


@dataclass(frozen=True)
class RunReport:
    """What a report says.

    Attributes:
        run: what it is about.
        summary: the summary in plain words.
        html: the page.
    """

    run: Run
    summary: Summary
    html: str

    def write(self, path: Path) -> Path:
        """Write the page in one step.

        Raises:
            RunError: if the file cannot be written, or is a folder.
        """
        if path.is_dir():
            raise RunError("the report is a file, not a folder", where=str(path), fix=f"write to {path / FILE}")
        write_text(path, self.html)
        return path

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain data that can be written as UTF-8, for ``truing report --json``."""
        status = status_of(self.run)
        win = self.summary.win_rate
        values = {
            "run": str(self.run.folder),
            "status": self.run.record.text("status"),
            "status_sentence": status.sentence or None,
            "summary": [
                {
                    "question": answer.question,
                    "answer": answer.headline,
                    "details": [*answer.sentences, *answer.items],
                }
                for answer in self.summary.answers
            ],
            "win_rate": asdict(win) if win is not None else None,
            "findings": [finding.content for finding in self.run.record.parts("findings")],
            "alarms": alarm_counts(self.run) if self.run.alarms is not None else None,
            "unreadable": list(self.run.unreadable),
        }
        return {name: visible_throughout(value) for name, value in values.items()}


def report_on(folder: Path) -> RunReport:
    """Read a run and say what became of it, whether it has ended or not.

    Raises:
        RunError: if the folder holds no run, or run.json cannot be read.
    """
    run = read_run(folder)
    summarised, drawn = _BY_TASK.get(run.record.text("task") or "", _POLICY)
    summary = summarised(run)
    return RunReport(run, summary, drawn(run, summary))


def write_run_report(folder: Path, output: Path | None = None) -> Path:
    """Write the report of a run.

    Args:
        folder: output folder of ``truing align``.
        output: where to write; ``report.html`` in the folder by default.

    Returns:
        The file that was written.

    Raises:
        RunError: if the folder holds no run, run.json cannot be read, or the file cannot be written.
    """
    return report_on(folder).write(output or folder / FILE)
