"""``truing report``: the report of a run as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="Output folder of `truing align`, running or finished.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; report.html in the run's folder by default."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON, too.")] = False,
) -> int:
    """Write the report of a run: what was done, did it help, what got worse, is anything alarming."""
    from rich.console import Console

    from truing.cli.console import print_json
    from truing.report import report_on
    from truing.report.plain import visible
    from truing.report.write import FILE

    made = report_on(run)
    path = made.write(output or run / FILE)
    if json:
        print_json({"report": str(path), **made.as_dict()})
        return 0
    console = Console(highlight=False)
    for answer in made.summary.answers:
        console.print(visible(f"{answer.question}: {answer.headline}"), markup=False)
    console.print(f"\nreport  {path}", markup=False, soft_wrap=True)
    return 0
