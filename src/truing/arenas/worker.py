"""One task of an arena, in a process of its own: the shared work, or a cell from training to answers."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.arenas.cells import CELLS, Cell
from truing.arenas.judging import FILE
from truing.arenas.load import Arena
from truing.errors import TruingError
from truing.training.checkpoints import CHECKPOINTS
from truing.writing import write_json

SHARED = "shared"
TIMES = "times.json"
INTERRUPTED = 130
FAILED = 1


@dataclass(frozen=True)
class Task:
    """What a process does.

    Attributes:
        arena: as checked.
        cell: the cell, or ``None`` for the work that all share.
        threads: of PyTorch on the CPU.
        environment: variables of the process that asked for it.
    """

    arena: Arena
    cell: Cell | None
    threads: int
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.cell.name if self.cell is not None else SHARED

    def file(self, ending: str) -> Path:
        """A file beside the cell's folder, e.g. its log."""
        return self.arena.output / CELLS / f"{self.name}.{ending}"


@dataclass(frozen=True)
class Failure:
    """Why a task did not end well.

    Attributes:
        what: in one sentence.
        fix: the likely remedy, where one is known.
    """

    what: str
    fix: str | None = None


def start(task: Task) -> None:
    """Entry point of a process: run the task, with output to a log, and exit with its status."""
    os.environ.clear()
    os.environ.update(task.environment)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    task.file("log").parent.mkdir(parents=True, exist_ok=True)
    log = os.open(task.file("log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.exit(attempt(task))


def _end_with_parent() -> None:
    """A cell whose arena was killed must not go on: its resumed twin would write to the same files."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(INTERRUPTED)


def attempt(task: Task) -> int:
    """Run the task. Returns 0, or another exit status with the reason in a file beside the cell."""
    import torch

    torch.set_num_threads(task.threads)
    task.file("failure.json").unlink(missing_ok=True)
    try:
        done = _shared(task) if task.cell is None else _cell(task, task.cell)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        traceback.print_exc()
        told = Failure(error.what, error.fix) if isinstance(error, TruingError) else Failure(_last_line(error))
        write_json(task.file("failure.json"), {"what": told.what, "fix": told.fix})
        return FAILED
    return 0 if done else INTERRUPTED


def _last_line(error: Exception) -> str:
    return traceback.format_exception_only(error)[-1].strip()


def _shared(task: Task) -> bool:
    from truing.arenas.plan import plan
    from truing.arenas.shared import prepare_shared

    prepare_shared(plan(task.arena))
    return True


def _cell(task: Task, cell: Cell) -> bool:
    from truing.arenas.judging import measure
    from truing.training.align import align

    began = time.perf_counter()
    folder = Path(cell.recipe.output)
    result = align(cell.recipe, resume=(folder / "run.json").exists())
    if result.status == "interrupted":
        return False
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)  # what they were kept for is done
    trained = time.perf_counter()
    if not (folder / FILE).exists():
        measure(cell.recipe, task.arena.base, task.arena.output)
        times = {
            "train_seconds": trained - began,
            "measure_seconds": time.perf_counter() - trained,
            "peak_memory_bytes": _peak_memory(),
            "threads": task.threads,
        }
        write_json(folder / TIMES, times)
    if not task.arena.recipe.keep_models:
        shutil.rmtree(folder / "model", ignore_errors=True)
        shutil.rmtree(folder / "adapter", ignore_errors=True)
    return True


def _peak_memory() -> int | None:
    """Bytes of the GPU if there is one, else of the process; ``None`` where the system does not say."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def failure(task: Task, code: int) -> Failure:
    """Why a process ended with this status."""
    path = task.file("failure.json")
    if path.exists():
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Failure(stored["what"], stored["fix"])
    if code < 0:
        import signal

        name = signal.Signals(-code).name if -code in {s.value for s in signal.Signals} else str(-code)
        hint = "lower training.micro_batch_tokens" if name == "SIGKILL" else None
        return Failure(f"the process was ended by {name}" + (" (out of memory?)" if hint else ""), hint)
    return Failure(f"the process ended with status {code}; see {task.file('log')}")
