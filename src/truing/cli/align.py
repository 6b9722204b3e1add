"""``truing align``: align a model with preferences from one recipe."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer


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
    from truing.cli.console import ConsoleListener, print_json, print_plan
    from truing.recipe import load_recipe

    checked = load_recipe(recipe, overrides or ())
    speaks = os.environ.get("RANK", "0") == "0"  # under torchrun, one process speaks for all
    listener = ConsoleListener(quiet=json or not speaks)
    if dry_run:
        from truing.training.plan import describe, plan
        from truing.training.prepare import prepare

        with tempfile.TemporaryDirectory() as folder:
            values = plan(prepare(checked, quarantine=Path(folder) / "quarantine.jsonl"))
        if json:
            print_json(values)
        else:
            print_plan(listener.console, describe(values))
            listener.console.print("Nothing was done (--dry-run).")
        return 0

    from truing.cli.summary import print_summary
    from truing.training.align import align as run

    command = shlex.join([str(recipe), *(overrides or ())])
    try:
        result = run(checked, resume=resume, listener=listener)
    except KeyboardInterrupt:
        if speaks:
            sys.stderr.write(f"\ninterrupted; continue with: truing align {command} --resume\n")
        return 128 + signal.SIGINT
    finally:
        listener.close()
    if json and speaks:
        print_json(result.record)
    elif not json:
        print_summary(listener.console, result, command)
    return result.exit_status
