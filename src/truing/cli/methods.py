"""``truing methods`` and ``truing explain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def methods(
    filters: Annotated[
        list[str] | None, typer.Argument(help="Words that must occur, e.g. `unpaired` or `kto`.")
    ] = None,
    requires: Annotated[
        str | None, typer.Option("--requires", help="Only methods that need this: pairs, unpaired, reference, ...")
    ] = None,
    without: Annotated[
        str | None, typer.Option("--without", help="Only methods that do not need this, e.g. reference.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """List all methods of Truing, what they need and what each was measured to do."""
    from rich.console import Console
    from rich.table import Table

    from truing.catalogue import entries
    from truing.cli.console import print_json

    rows = [row for row in entries() if _matches(row, filters or [], requires, without)]
    if json:
        print_json(rows)
        return
    table = Table(title=f"{len(rows)} methods", caption=CAPTION)
    for column in ("name", "needs", "what it does", "first claim: predicted, measured", "paper"):
        table.add_column(column, overflow="fold")
    for row in rows:
        paper = f"{row['paper']['year']} {row['paper']['arxiv']}"
        name = row["name"] if row["kind"] == "objective" else f"{row['name']} ({row['kind']})"
        table.add_row(name, ", ".join(row["requires"]), row["summary"], _evidence(row), paper)
    Console().print(table)


CAPTION = "truing explain NAME: all claims in words · truing verify NAME: measures them again"


def _evidence(row: dict[str, Any]) -> str:
    """The first claim's prediction and measurement, and how many more there are."""
    from truing.evidence_text import measured, predicted

    if not row["measured"]:
        return "not measured"
    first, *more = row["measured"]
    others = f"; {len(more)} more" if more else ""
    return f"{predicted(first)}, {measured(first)}{others}"


def _matches(row: dict[str, Any], words: list[str], requires: str | None, without: str | None) -> bool:
    text = " ".join(
        [row["name"], row["slug"], row["kind"], row["summary"], *row["aliases"], *row["requires"]]
    ).lower()
    if any(word.lower() not in text for word in words):
        return False
    if requires is not None and requires not in row["requires"]:
        return False
    return without is None or without not in row["requires"]


def explain(
    name: Annotated[str | None, typer.Argument(help="A method; see `truing methods`.")] = None,
    lattice: Annotated[
        bool, typer.Option("--lattice", help="Show how the losses stand to each other, strictest first.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="With --lattice: an SVG file to draw it in.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Explain a method: formula, meaning, what it needs, when to use it and when not, evidence, paper."""
    from rich.console import Console

    from truing.cli.console import print_json
    from truing.errors import TruingError

    if lattice:
        if name is not None:
            raise TruingError("--lattice shows all losses", fix=f"leave {name!r} out, or --lattice")
        _lattice(output, json)
        return
    if name is None:
        raise TruingError("nothing to explain", fix="name a method, e.g. `truing explain dpo`, or use --lattice")
    if output is not None:
        raise TruingError("--output is the picture of --lattice", fix="add --lattice, or leave --output out")
    from truing.catalogue import explanation
    from truing.cli.explanation import render

    found = explanation(name)
    if json:
        print_json(found)
    else:
        render(Console(highlight=False), found)


def _lattice(output: Path | None, json: bool) -> None:
    """Print the order of the known losses, or draw it."""
    from truing.cli.console import print_json
    from truing.objectives.semantics import known
    from truing.objectives.semantics.drawing import svg, text
    from truing.writing import write_text

    found = known()
    if output is not None:
        write_text(output, svg(found))
    if json:
        print_json({**found.as_dict(), "picture": None if output is None else str(output)})
    elif output is not None:
        typer.echo(f"lattice  {output}")
    else:
        typer.echo("\n".join(text(found)))
