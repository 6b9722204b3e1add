"""``truing quickstart``: everything once, in three minutes, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def quickstart(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path("quickstart"),
    json: Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")] = False,
) -> int:
    """Check a small real preference set, align the built-in model on it, measure, and write a report."""
    from truing.cli.console import ConsoleListener, print_json
    from truing.quickstart import run

    listener = ConsoleListener(quiet=json)
    result = run(output, listener)
    listener.close()
    if json:
        print_json(result.record)
    return 0
