"""Running tasks: some at a time in processes of this machine, or on a Ray cluster."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from multiprocessing.connection import wait
from typing import Any

from truing.arenas.worker import Task, attempt, start
from truing.errors import RunError, missing_dependency

_PRELOAD = [
    "truing.arenas.judging",
    "truing.arenas.worker",
    "truing.training.align",
    "transformers.models.auto.modeling_auto",
]
# Seconds in which a process that was asked to stop may write a checkpoint.
_GRACE = 60

Started = Callable[[Task], None]
Ended = Callable[[Task, int], None]


def run_here(tasks: Iterable[Task], jobs: int, started: Started, ended: Ended) -> None:
    """Run tasks, ``jobs`` at a time, each in a process of its own.

    A process that dies, however it dies, ends its own task only. On an interrupt all are asked to stop, write a
    checkpoint, and are waited for.

    Args:
        tasks: in the order in which they are started.
        jobs: processes at a time.
        started, ended: called here when a task starts, and when it ends with an exit status (negative: a signal).

    Raises:
        RunError: if a script calls this while it is being imported by one of the processes.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise RunError(
            "truing.arena was called while a process of it was starting",
            fix='put the call under `if __name__ == "__main__":`, as for everything that starts processes',
        )
    context = _context()
    waiting = list(tasks)
    running: dict[Any, tuple[Task, Any]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop(0)
                process = context.Process(target=start, args=(task,), name=task.name)
                process.start()
                running[process.sentinel] = (task, process)
                started(task)
            for sentinel in wait(list(running)):
                task, process = running.pop(sentinel)
                process.join()
                ended(task, int(process.exitcode))
    finally:
        _stop([process for _, process in running.values()])


def _context() -> Any:
    """Processes from a server that has imported what they need, where the system can do that."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    return context


def _stop(processes: list[Any]) -> None:
    """Ask processes to stop, and wait; those that were interrupted at the terminal are stopping already."""
    for process in processes:
        process.join(1)
        if process.is_alive():
            process.terminate()
    for process in processes:
        process.join(_GRACE)
        if process.is_alive():
            process.kill()


def run_on_ray(tasks: Iterable[Task], started: Started, ended: Ended) -> None:
    """Run tasks on a Ray cluster whose machines share the output folder and the cache.

    ``RAY_ADDRESS`` says which cluster; without it one is started on this machine. Ray decides how many run at a time.

    Raises:
        TruingError: if Ray is not installed.
    """
    try:
        import ray
    except ImportError:
        raise missing_dependency("truing arena --ray", "ray", "ray") from None
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    pending = {}
    for task in tasks:
        remote = ray.remote(attempt).options(num_cpus=task.threads, max_retries=0, name=task.name)
        pending[remote.remote(task)] = task
        started(task)
    while pending:
        done, _ = ray.wait(list(pending), num_returns=1)
        for reference in done:
            task = pending.pop(reference)
            try:
                code = int(ray.get(reference))
            except Exception:
                code = 1  # the worker died; its log says more
            ended(task, code)
