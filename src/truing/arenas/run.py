"""The arena itself: plan, shared work, cells, results."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml

from truing.arenas.cells import Cell
from truing.arenas.jobs import run_here, run_on_ray
from truing.arenas.judging import FILE
from truing.arenas.load import Arena, load_arena, parse_arena
from truing.arenas.lock import lock
from truing.arenas.plan import ArenaPlan, plan
from truing.arenas.results import read_cell, read_start, results
from truing.arenas.worker import INTERRUPTED, Failure, Task, failure
from truing.errors import RunError
from truing.training.earlier import differences
from truing.writing import explain_disk_errors, remove_partials, write_json, write_text

RECIPE = "arena.yaml"
RESULTS = "arena.json"
PAGE = "arena.html"


@dataclass(frozen=True)
class ArenaResult:
    """What an arena left behind.

    Attributes:
        folder: everything is in it.
        record: the content of arena.json.
        page: the report.
        failed: names of cells that failed, with reasons.
    """

    folder: Path
    record: dict[str, Any]
    page: Path
    failed: dict[str, Failure] = field(default_factory=dict)


class ArenaListener:
    """Hears what an arena is doing; says nothing by default."""

    def planned(self, plan: ArenaPlan) -> None:
        """The cells are known."""

    def started(self, name: str) -> None:
        """A task starts."""

    def ended(self, name: str, failure: Failure | None, done: int, total: int) -> None:
        """A task ended; ``done`` of ``total`` have."""


def arena(
    recipe: Mapping[str, Any] | str | Path | Arena,
    *overrides: str,
    resume: bool = False,
    jobs: int = 1,
    ray: bool = False,
    listener: ArenaListener | None = None,
) -> ArenaResult:
    """Compare objectives: one model, one data set, equal budgets.

    Every cell is a run of :func:`truing.align` in a process of its own, in a folder of its own. A cell that fails is
    reported, and the others go on. With ``resume`` finished cells are taken as they are, an interrupted one goes on
    from its checkpoint, and a failed one is tried again; objectives, seeds and tracks may have been added since.

    Args:
        recipe: path of a YAML file, a mapping with the same keys, or an arena that was checked already.
        overrides: changes as on the command line, e.g. ``"base.training.max_steps=10"``.
        resume: go on with an arena that was interrupted.
        jobs: cells that run at the same time; CPU threads are divided among them.
        ray: run cells on a Ray cluster instead.
        listener: hears about progress.

    Raises:
        TruingError: on anything the user can mend.
    """
    listener = listener or ArenaListener()
    if jobs < 1:
        raise RunError(f"jobs must be at least 1, not {jobs}", where="--jobs")
    checked = _checked(recipe, overrides)
    planned = plan(checked)
    listener.planned(planned)
    with explain_disk_errors(checked.output):
        checked.output.mkdir(parents=True, exist_ok=True)
    with lock(checked.output):
        _claim(planned, resume)
        failed = _run(planned, listener, jobs, ray=ray)
        return finish(planned, failed)


def finish(planned: ArenaPlan, failed: Mapping[str, Failure]) -> ArenaResult:
    """Compare what the cells left, and write arena.json and arena.html."""
    from truing.arenas.page import page

    folder = planned.arena.output
    start = read_start(planned)
    found = [
        read_cell(cell, work, start, failed.get(cell.name))
        for cell, work in zip(planned.cells, planned.work, strict=True)
    ]
    write_json(folder / RESULTS, results(planned, start, found))
    record = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
    write_text(folder / PAGE, page(record))
    return ArenaResult(folder, record, folder / PAGE, dict(failed))


def _checked(recipe: Mapping[str, Any] | str | Path | Arena, overrides: tuple[str, ...]) -> Arena:
    if isinstance(recipe, Arena):
        return recipe
    return load_arena(recipe, overrides) if isinstance(recipe, str | Path) else parse_arena(recipe, overrides)


def _claim(planned: ArenaPlan, resume: bool) -> None:
    """Make the folder this arena's own, or make sure that it is.

    Raises:
        RunError: if it holds an arena and resuming was not asked for, or what all cells share has changed.
    """
    folder = planned.arena.output
    path = folder / RECIPE
    base = planned.arena.base.model_dump(mode="json")
    if path.exists():
        if not resume:
            raise RunError(
                "the output folder holds an arena already",
                where=str(folder),
                fix="continue it with --resume, choose another output, or remove the folder",
            )
        stored = yaml.safe_load(path.read_text(encoding="utf-8"))
        changed = differences(stored["base"], base)
        for cell in planned.cells:
            changed += _changed(cell)
        if changed:
            shown = "; ".join(f"{key} was {old!r}, is {new!r}" for key, old, new in changed[:4])
            raise RunError(
                f"the arena that is to be resumed was another one: {shown}",
                where=str(path),
                fix="use the same base, or another output; objectives, seeds and tracks may be added",
            )
    elif resume:
        raise RunError(
            "there is nothing to resume", where=str(folder), fix="run without --resume, or check `output`"
        )
    remove_partials(folder)
    values = {**planned.arena.recipe.model_dump(mode="json"), "base": base}
    write_text(path, yaml.safe_dump(values, sort_keys=False))


def _changed(cell: Cell) -> list[tuple[str, Any, Any]]:
    path = Path(cell.recipe.output) / "run.json"
    if not path.exists():
        return []
    stored = json.loads(path.read_text(encoding="utf-8")).get("recipe", {})
    found = differences(stored, cell.recipe.model_dump(mode="json"))
    return [(f"{cell.name}: {key}", old, new) for key, old, new in found]


def _run(planned: ArenaPlan, listener: ArenaListener, jobs: int, *, ray: bool) -> dict[str, Failure]:
    """Run what has not run yet. Returns the failures."""
    checked = planned.arena
    threads = max(1, torch.get_num_threads() // jobs)
    environment = dict(os.environ)
    failed: dict[str, Failure] = {}
    open_cells = [c for c in planned.cells if not (Path(c.recipe.output) / FILE).exists()]
    done = len(planned.cells) - len(open_cells)

    def ended(task: Task, code: int) -> None:
        nonlocal done
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        problem = failure(task, code) if code else None
        if problem is not None:
            failed[task.name] = problem
        done += task.cell is not None
        listener.ended(task.name, problem, done, len(planned.cells))

    def started(task: Task) -> None:
        listener.started(task.name)

    shared = Task(checked, None, torch.get_num_threads(), environment)
    run_here([shared], 1, started, ended)
    if shared.name in failed:
        problem = failed[shared.name]
        raise RunError(problem.what, where=f"the shared work; see {shared.file('log')}", fix=problem.fix)
    tasks = [Task(checked, cell, threads, environment) for cell in open_cells]
    if ray:
        run_on_ray(tasks, started, ended)
    else:
        run_here(tasks, jobs, started, ended)
    return failed
