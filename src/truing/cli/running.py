"""What the commands that train from a recipe have in common: plan or run, speak for all processes, say how it ended."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from truing.training.align import RunResult
    from truing.training.listener import Listener

Planned = tuple[dict[str, Any], list[tuple[str, str]]]


def run_recipe(
    program: str,
    recipe: Path,
    overrides: Sequence[str],
    *,
    plan: Callable[[], Planned] | None,
    train: Callable[[Listener], RunResult],
    json: bool,
) -> int:
    """Show the plan of a run, or run it and show what came of it.

    Args:
        program: what was typed after ``truing``.
        recipe, overrides: as typed, for the line that says how to go on.
        plan: values and lines of the plan, where nothing else is wanted (``--dry-run``).
        train: the run.
        json: whether plain data is printed in place of a screen.

    Returns:
        The exit status.
    """
    from truing.cli.console import ConsoleListener, print_json, print_plan

    speaks = os.environ.get("RANK", "0") == "0"  # under torchrun, one process speaks for all
    listener = ConsoleListener(quiet=json or not speaks)
    if plan is not None:
        values, lines = plan()
        if json:
            print_json(values)
        else:
            print_plan(listener.console, lines)
            listener.console.print("Nothing was done (--dry-run).")
        return 0

    from truing.cli.summary import print_summary

    command = shlex.join([str(recipe), *overrides])
    try:
        result = train(listener)
    except KeyboardInterrupt:
        if speaks:
            sys.stderr.write(f"\ninterrupted; continue with: truing {program} {command} --resume\n")
        return 128 + signal.SIGINT
    finally:
        listener.close()
    if json and speaks:
        print_json(result.record)
    elif not json:
        print_summary(listener.console, result, command, program)
    return result.exit_status
