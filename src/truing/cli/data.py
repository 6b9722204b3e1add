"""``truing data``: look at data before you train on it."""

from __future__ import annotations

from typing import Annotated

import typer

from truing.cli import conflicts, data_values, debates, few_shot, honest_data, rationales
from truing.cli.repair import repair

app = typer.Typer(no_args_is_help=True)
app.command("repair")(repair)


@app.callback()
def _group() -> None:
    """Look at data before you train on it."""


@app.command()
def check(
    path: Annotated[str, typer.Argument(help="File, folder, glob or hub data set.")],
    against: Annotated[
        str | None, typer.Option("--against", help="Another split, to look for leakage between the two.")
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option("--tokenizer", help="Model or folder whose tokenizer counts tokens.")
    ] = None,
    layout: Annotated[
        str | None, typer.Option("--layout", help="Name of the layout, if detection is ambiguous.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check a data set: layout, duplicates, leakage, contradictions, length bias, truncation, templates."""
    from rich.console import Console

    from truing.cli.console import print_json
    from truing.data.check import check_path
    from truing.data.render import render

    report = check_path(path, against=against, tokenizer=tokenizer, layout=layout)
    if json:
        print_json(report.as_dict())
    else:
        Console(highlight=False).print(render(report))


app.command("values")(data_values.values)
app.command("honesty")(honest_data.honesty)
app.command("few-shot")(few_shot.few_shot)
app.command("debates")(debates.debates)
app.command("conflicts")(conflicts.conflicts)
app.command("rationales")(rationales.rationales)
