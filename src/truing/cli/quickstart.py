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
    from truing.cli.summary import print_summary
    from truing.quickstart import ABOUT, run

    listener = ConsoleListener(quiet=json)
    listener.console.print(ABOUT)
    result = run(output, listener)
    listener.close()
    if json:
        print_json(result.record)
        return result.exit_status
    print_summary(listener.console, result, f"{result.folder}/recipe.yaml")
    if result.status == "finished":
        listener.console.print(
            f"\nNext: open {result.report} in a browser.\n"
            f"The recipe is {result.folder / 'recipe.yaml'}; with your own model and data it goes\n"
            "  truing align recipe.yaml model=MODEL data.path=DATA output=runs/first",
            markup=False,
            soft_wrap=True,
        )
    return result.exit_status
