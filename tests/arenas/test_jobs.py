"""Running tasks: what is said about those that end badly, and Ray as far as it can be tested without a cluster."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.arenas.setups import arena_values
from truing.arenas import jobs, worker
from truing.arenas.cells import cells
from truing.arenas.load import parse_arena
from truing.arenas.worker import Failure, Task, attempt, failure
from truing.errors import RunError


def _tasks(folder: Path) -> list[Task]:
    arena = parse_arena(arena_values(folder))
    return [Task(arena, cell, 1, {}) for cell in cells(arena)]


def test_what_is_said_about_a_process_that_died(tmp_path: Path) -> None:
    task = _tasks(tmp_path)[0]
    assert failure(task, -signal.SIGKILL) == Failure(
        "the process was ended by SIGKILL (out of memory?)", "lower training.micro_batch_tokens"
    )
    assert failure(task, -signal.SIGSEGV) == Failure("the process was ended by SIGSEGV")
    assert "ended with status 7; see" in failure(task, 7).what


def test_a_mistake_is_kept_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(task: Task, cell: object) -> bool:
        raise RunError("the loss is nan", fix="lower the learning rate")

    task = _tasks(tmp_path)[0]
    monkeypatch.setattr(worker, "_cell", fails)
    assert attempt(task) == worker.FAILED
    assert failure(task, worker.FAILED) == Failure("the loss is nan", "lower the learning rate")
    monkeypatch.setattr(worker, "_cell", lambda task, cell: True)
    assert attempt(task) == 0
    assert not task.file("failure.json").exists()  # what failed earlier is forgotten
    monkeypatch.setattr(worker, "_cell", lambda task, cell: False)
    assert attempt(task) == worker.INTERRUPTED


class _Ray:
    """The few calls of Ray that are used; one task dies with its worker."""

    def __init__(self) -> None:
        self.options: list[dict[str, Any]] = []

    def is_initialized(self) -> bool:
        return True

    def remote(self, function: Any) -> Any:
        def options(**given: Any) -> Any:
            self.options.append(given)
            return SimpleNamespace(remote=lambda task: (function, task))

        return SimpleNamespace(options=options)

    def wait(self, pending: list[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        return pending[:num_returns], pending[num_returns:]

    def get(self, reference: Any) -> Any:
        function, task = reference
        if task.name.startswith("clean__ipo"):
            raise RuntimeError("the worker died")
        return function(task)


def test_tasks_on_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = _Ray()
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(jobs, "attempt", _done)
    tasks = [_Hashable(task) for task in _tasks(tmp_path)]
    started, ended = [], []
    jobs.run_on_ray(tasks, lambda t: started.append(t.name), lambda t, code: ended.append((t.name, code)))  # type: ignore[arg-type]
    assert len(started) == 3
    assert dict(ended) == {"clean__dpo__seed-0": 0, "clean__ipo__seed-0": 1, "clean__simpo__seed-0": 0}
    assert [o["num_cpus"] for o in ray.options] == [1, 1, 1]


def _done(task: Task) -> int:
    return 0


class _Hashable:
    """References of Ray can be hashed; a task, which holds mappings, cannot."""

    def __init__(self, task: Task) -> None:
        self.name = task.name
        self.threads = task.threads
