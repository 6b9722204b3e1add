"""``truing verify``: measure what each method's theory or paper predicts."""

from __future__ import annotations

from typing import Annotated

import typer


def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Methods; see `truing methods`.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Verify every method.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the results as a JSON list.")] = False,
) -> int:
    """Run the claims of methods, and print predicted beside measured. Exit status 1 if a claim fails."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from truing.cli.console import print_json
    from truing.errors import TruingError
    from truing.evidence import verify as run

    if not names and not everything:
        raise TruingError("nothing to verify", fix="name a method, e.g. `truing verify dpo`, or use --all")
    if names and everything:
        raise TruingError("--all verifies every method already", fix="leave the names out")
    results = run("all") if everything else [result for name in names or () for result in run(name)]
    if json:
        print_json([result.as_dict() for result in results])
    else:
        table = Table(title="Claims")
        for column in ("method", "claim", "predicted", "measured", "verdict"):
            table.add_column(column, overflow="fold")
        for result in results:
            verdict = Text("holds", "green") if result.passed else Text("FAILS", "bold red")
            # As text: brackets in a claim are no markup.
            cells = (result.method, result.claim, result.predicted_text, result.measured_text)
            table.add_row(*map(Text, cells), verdict)
        Console().print(table)
    return 0 if all(result.passed for result in results) else 1
