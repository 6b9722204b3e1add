"""Arguments that the commands which train from a recipe share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecipeFile = Annotated[Path, typer.Argument(help="YAML file; see the guide for its keys.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Changes to the recipe, e.g. training.epochs=2."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check recipe, data and model, print the plan, do nothing.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")]
