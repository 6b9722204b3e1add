"""``truing diagnose`` answers whether a run is broken."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def diagnose(
    run: Annotated[Path, typer.Argument(help="Output folder of `truing align`, running or finished.")],
    json: Annotated[bool, typer.Option("--json", help="Print a list of alarms as JSON.")] = False,
) -> int:
    """Read a run's metrics and say in words what they mean."""
    from rich.console import Console

    from truing.cli.console import ConsoleListener, print_json
    from truing.diagnostics.run import diagnose_run

    diagnosis = diagnose_run(run)
    if json:
        print_json(diagnosis.as_dict())
        return 0
    console = Console(highlight=False)
    listener = ConsoleListener()
    listener.console = console
    for alarm in diagnosis.alarms:
        listener.alarm(alarm)
    console.print()
    for sentence in diagnosis.summary:
        console.print(sentence, markup=False)
    return 0
