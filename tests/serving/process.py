"""`truing serve` in a process of its own, as a user starts it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

COMMAND = [sys.executable, "-c", "from truing.cli import main; main()", "serve"]


@dataclass
class Serving:
    """A running server.

    Attributes:
        process: its process.
        url: its endpoint, with ``/v1``.
    """

    process: subprocess.Popen[str]
    url: str


@contextlib.contextmanager
def serving(*options: str, **environment: str) -> Iterator[Serving]:
    """A server on a free port; killed in the end, if it is still there."""
    process = subprocess.Popen(
        [*COMMAND, "--model", "truing/tiny", "--port", "0", "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )
    try:
        yield Serving(process, _told(process)["url"])
    finally:
        process.kill()
        process.communicate()


def _told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The JSON that it prints when it answers requests."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            found: dict[str, Any] = json.loads("".join(lines))
            return found
    assert process.stderr is not None
    raise AssertionError(process.stderr.read())
