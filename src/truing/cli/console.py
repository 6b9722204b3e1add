"""What commands share: consoles, JSON output, progress of a run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from truing.json_values import plain
from truing.training.listener import Listener

if TYPE_CHECKING:
    from truing.data.check import DataReport
    from truing.diagnostics import Alarm


def print_json(value: Any) -> None:
    """Write one JSON document to standard output; unknown numbers are null."""
    sys.stdout.write(json.dumps(plain(value), indent=2, ensure_ascii=False, default=str) + "\n")


def printed(value: Any, sentences: Iterable[str], json: bool) -> None:
    """A result as one JSON document, or in sentences.

    Args:
        value: for programs.
        sentences: for people, a line each; made only if they are wanted.
        json: whether a program asks.
    """
    if json:
        print_json(value)
        return
    for line in sentences:
        sys.stdout.write(f"{line}\n")


def planned(plan: Mapping[str, Any], json: bool) -> None:
    """What a command would do (``--dry-run``).

    Args:
        plan: what it would read, ask and write, by name.
        json: whether a program asks.
    """
    lines = [
        f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}" for name, value in plan.items()
    ]
    printed(plan, [*lines, "Nothing was done (--dry-run)."], json)


def planned_in_a_line(plan: Mapping[str, Any], json: bool) -> None:
    """As :func:`planned`, with the whole plan in one line."""
    printed(plan, [str(plan), "Nothing was done (--dry-run)."], json)


_STAGES = {
    "prepare": "Preparing data and model",
    "check": "Checking the data",
    "reference": "Scoring the data with the reference",
    "before": "Measuring the starting model",
    "mask": "Choosing the weights that may change",
    "train": "Training",
    "after": "Measuring the trained model",
    "export": "Writing the model",
    "report": "Writing the report",
    "measure": "Measuring what was forgotten",
}


class ConsoleListener(Listener):
    """Shows a run on a terminal (on standard error, so that ``--json`` keeps standard output to itself)."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False, quiet=quiet)
        self._quiet = quiet
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    @property
    def quiet(self) -> bool:
        return self._quiet

    def stage(self, name: str) -> None:
        self.close()
        self.console.print(f"[bold]{_STAGES.get(name, name)}[/bold]")

    def plan(self, lines: list[tuple[str, str]]) -> None:
        print_plan(self.console, lines)

    def data(self, report: DataReport) -> None:
        for finding in (*report.of("problem"), *report.of("warning")):
            colour = "red" if finding.severity == "problem" else "yellow"
            self.console.print(f"  [{colour}]{finding.severity}[/{colour}] ", end="")
            self.console.print(f"{finding.count:,} of {finding.n:,}: {finding.what}", markup=False)

    def progress(self, name: str, done: int, total: int) -> None:
        if self._quiet or not self.console.is_terminal:
            return
        if self._progress is None:
            self._progress = Progress(
                TextColumn("  {task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task(name, total=total)
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=total)
        if done >= total:
            self.close()

    def alarm(self, alarm: Alarm) -> None:
        colour = {"note": "cyan", "warning": "yellow", "problem": "red"}[alarm.severity]
        self.console.print(f"\n[{colour}]{alarm.severity}[/{colour}] (step {alarm.step}) ", end="")
        self.console.print(alarm.message, markup=False)
        self.console.print(f"  remedy: {alarm.remedy}", markup=False)

    def close(self) -> None:
        """End a progress bar, if one is shown."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
            self._task = None


def print_plan(console: Console, lines: list[tuple[str, str]]) -> None:
    """The resolved plan as two columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in lines:
        table.add_row(label, Text(text))
    console.print(table)
