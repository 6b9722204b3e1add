"""One arena in a folder at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from truing.errors import RunError


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the folder; the system lets it go when the process ends, however it ends.

    Raises:
        RunError: if another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # a system without such locks
        yield
        return
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(
                "another arena is running in this folder",
                where=str(folder),
                fix="wait for it, or choose another output",
            ) from None
        yield
