"""Faults that are planted in a process before the command starts."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_GROWING = {"os.mkdir"}
_CHANGING = {"os.rename", "os.remove", "os.rmdir", "shutil.rmtree"} | _GROWING


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _on_change(folder: Path, act: Callable[[int], None], events: set[str] = _CHANGING) -> None:
    """Call ``act`` with 1, 2, ... whenever Python is about to change something under ``folder``."""
    count = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event == "open":
            path, _, flags = arguments
            changes = isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        elif event in events:
            path, changes = arguments[0], True
        else:
            return
        if changes and isinstance(path, str | Path) and str(path).startswith(str(folder)):
            count += 1
            act(count)

    sys.addaudithook(hook)


def kill_at_change(folder: Path, number: int) -> None:
    """SIGKILL when the ``number``-th file or folder under ``folder`` is about to be written, moved or removed."""
    _on_change(folder, lambda count: _die() if count == number else None)


def count_changes(folder: Path, target: Path) -> None:
    """Write to ``target`` how many changes there were."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT)

    def note(count: int) -> None:
        os.pwrite(handle, str(count).encode(), 0)

    _on_change(folder, note)


def kill_in_step(number: int) -> None:
    """SIGKILL in the middle of an optimiser step: gradients are there, weights are not yet moved."""
    from truing.training.step import PreferenceStep

    plain, calls = PreferenceStep._train, [0]

    def train(self: PreferenceStep, *args: Any, **kwargs: Any) -> Any:
        result = plain(self, *args, **kwargs)
        calls[0] += 1
        if calls[0] == number:
            _die()
        return result

    PreferenceStep._train = train  # type: ignore[method-assign]


def kill_within_torch_save(number: int) -> None:
    """SIGKILL when ``torch.save`` has written half of its file, at its ``number``-th call."""
    import torch

    plain, calls = torch.save, [0]

    def save(value: Any, file: Any, *args: Any, **kwargs: Any) -> None:
        plain(value, file, *args, **kwargs)
        calls[0] += 1
        if calls[0] == number:
            os.truncate(file, Path(file).stat().st_size // 2)
            _die()

    torch.save = save


def kill_on_stage(name: str) -> None:
    """SIGKILL when a stage begins."""
    from truing.cli.console import ConsoleListener

    plain = ConsoleListener.stage

    def stage(self: ConsoleListener, begun: str) -> None:
        if begun == name:
            _die()
        plain(self, begun)

    ConsoleListener.stage = stage  # type: ignore[method-assign]


def interrupt_on_stage(name: str) -> None:
    """Ctrl-C when a stage begins."""
    from truing.cli.console import ConsoleListener

    plain = ConsoleListener.stage

    def stage(self: ConsoleListener, begun: str) -> None:
        if begun == name:
            signal.raise_signal(signal.SIGINT)
        plain(self, begun)

    ConsoleListener.stage = stage  # type: ignore[method-assign]


def slow_steps(seconds: float = 0.3) -> None:
    """Let steps last long enough for a signal to arrive between two of them."""
    import time

    from truing.training.step import PreferenceStep

    plain = PreferenceStep._train

    def train(self: PreferenceStep, *args: Any, **kwargs: Any) -> Any:
        time.sleep(seconds)
        return plain(self, *args, **kwargs)

    PreferenceStep._train = train  # type: ignore[method-assign]


def no_file_above(size: int) -> None:
    """Every file that grows beyond ``size`` bytes fails, whoever writes it, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def full_from_change(folder: Path, number: int) -> None:
    """The disk is full from the ``number``-th new file or folder on; what is there can be moved and removed."""

    def refuse(count: int) -> None:
        if count >= number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    _on_change(folder, refuse, _GROWING)


def nan_in_step(number: int) -> None:
    """The loss of one step is not a number."""
    from truing.training.step import PreferenceStep

    plain, calls = PreferenceStep._train, [0]

    def train(self: PreferenceStep, *args: Any, **kwargs: Any) -> Any:
        result = plain(self, *args, **kwargs)
        calls[0] += 1
        if calls[0] == number:
            result.loss = float("nan")
        return result

    PreferenceStep._train = train  # type: ignore[method-assign]
