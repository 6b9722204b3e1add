"""``truing arena``: one model, one data set, many objectives."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

# Some cells failed; the others are in the results.
INCOMPLETE = 3


def arena(
    recipe: Annotated[Path, typer.Argument(help="YAML file; see the guide for its keys.", show_default=False)],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...", help="Changes, e.g. base.training.max_steps=10 grid.seeds=[0,1]."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print cells, steps, tokens and an estimate of the time; do nothing.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted arena.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Cells at a time; CPU threads are divided.")] = 1,
    ray: Annotated[bool, typer.Option("--ray", help="Run cells on a Ray cluster.")] = False,
) -> int:
    """Compare objectives on one model and one data set, with equal budgets.

    Every cell is a run of `truing align`. The arena leaves `arena.json`, `arena.html` and a folder for each cell in
    `output`. Exit status 3: some cells failed, and the others are in the results.
    """
    from truing.arenas.load import load_arena
    from truing.cli.arena_console import ConsoleArena, print_plan, print_results
    from truing.cli.console import print_json

    checked = load_arena(recipe, overrides or ())
    listener = ConsoleArena(quiet=json)
    if dry_run:
        from truing.arenas.plan import plan
        from truing.arenas.speed import estimate

        planned = plan(checked)
        speed = estimate(planned, jobs)
        if json:
            print_json(speed.as_dict(planned))
        else:
            print_plan(listener.console, planned, speed)
        return 0

    from truing.arenas import arena as run

    command = shlex.join([str(recipe), *(overrides or ())])
    try:
        result = run(checked, resume=resume, jobs=jobs, ray=ray, listener=listener)
    except KeyboardInterrupt:
        sys.stderr.write(f"\ninterrupted; continue with: truing arena {command} --resume\n")
        return 128 + signal.SIGINT
    if json:
        print_json(result.record)
    else:
        print_results(listener.console, result)
    return INCOMPLETE if result.failed else 0
