"""``truing aspects``: what data, algorithm, reward and prompts are each worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def aspects(
    recipe: Annotated[Path, typer.Argument(help="YAML file with a base and aspects, e.g. examples/aspects.yaml.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the cells, do nothing.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Keep the cells that are finished.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the effects as JSON, or the recipes.")] = False,
) -> None:
    """Vary one aspect of a recipe at a time, and list what each choice is worth, largest first."""
    from truing.arenas.aspects import read_aspects, run_aspects
    from truing.cli.console import print_json

    plan = read_aspects(recipe)
    if dry_run:
        if json:
            print_json({"cells": {name: cell.recipe.model_dump(mode="json") for name, cell in plan.cells.items()}})
            return
        for name in plan.cells:
            typer.echo(name)
        return
    found = run_aspects(plan, resume=resume)
    if json:
        print_json({"effects": [vars(effect) for effect in found]})
        return
    for effect in found:
        said = "" if effect.told_apart else "  (not told apart from 0)"
        typer.echo(
            f"{effect.aspect}: {effect.option} against {effect.against}  {effect.change:+.3f}  "
            f"({effect.low:+.3f} to {effect.high:+.3f}){said}"
        )
