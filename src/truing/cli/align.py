"""``truing align``: align a model with preferences from one recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from truing.cli.running import Planned
    from truing.training.align import RunResult
    from truing.training.listener import Listener


def align(
    recipe: Annotated[Path, typer.Argument(help="YAML file; see the guide for its keys.", show_default=False)],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Changes to the recipe, e.g. training.epochs=2."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check recipe, data and model, print the plan, do nothing.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")] = False,
) -> int:
    """Align a model with preferences.

    A recipe is short: `model`, `data`, `objective`, `training`, `output`. The run leaves a model folder,
    `run.json`, `metrics.jsonl` and `report.html` in `output`.
    """
    from truing.cli.running import run_recipe
    from truing.recipe import load_recipe

    given = overrides or []
    checked = load_recipe(recipe, given)

    def planned() -> Planned:
        from truing.training.plan import planned

        return planned(checked)

    def train(listener: Listener) -> RunResult:
        from truing.training.align import align as run

        return run(checked, resume=resume, listener=listener)

    return run_recipe("align", recipe, given, plan=planned if dry_run else None, train=train, json=json)
