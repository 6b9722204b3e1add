"""One process a side, asked to work in turn, so that both meet the same machine in the same minutes."""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Worker:
    """A process that imports ``module``, calls its ``start(settings)``, and then answers ``ask`` one by one."""

    def __init__(self, module: str, settings: dict[str, Any], *, verbose: bool = False) -> None:
        self.name = module
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if verbose else subprocess.DEVNULL,
            text=True,
            env={**os.environ, "TQDM_DISABLE": "1", "TOKENIZERS_PARALLELISM": "false"},
        )
        self.ready = self.ask(settings)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request and wait for the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} died; run again with --verbose to see why")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def peak_bytes() -> int:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """The process behind :class:`Worker`. Whatever libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    start: Callable[..., Any] = importlib.import_module(sys.argv[1]).start
    work: Callable[..., dict[str, Any]] | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if work is None:
            work = start(**request)
            answer: dict[str, Any] = {}
        else:
            answer = work(**request)
        answers.write(json.dumps({**answer, "peak_bytes": peak_bytes()}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
