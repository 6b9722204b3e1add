"""One program in a process group of its own: started, watched, and killed with all that it started."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from truing.errors import RunError
from truing.rewards.functions.sandbox.limits import Limits

Isolation = Literal["kernel", "none"]

_GUARD = Path(__file__).parent / "child" / "guard.py"
_REPORT = 2**20
"""Bytes of report."""


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        report: what the guard wrote last, empty if it did not get to it.
        refused: what the program tried and may not do.
        output: what it printed.
        too_much: whether it printed more than it may.
        timed_out: whether it was killed for time.
        signal: that ended it, 0 if none did.
    """

    report: dict[str, Any]
    refused: tuple[str, ...]
    output: bytes
    too_much: bool
    timed_out: bool
    signal: int


def run_program(
    program: str,
    limits: Limits,
    isolation: Isolation,
    *,
    test: str | None = None,
    call: str | None = None,
    given: str = "",
) -> Ended:
    """Run a program, then a test in the same names, or an expression whose value is reported.

    Args:
        program: Python.
        limits: of the process.
        isolation: ``kernel``, or ``none``, which is no boundary.
        test: Python.
        call: an expression.
        given: standard input.

    Raises:
        RunError: if the kernel cannot isolate it, or it cannot be started.
    """
    if os.name != "posix":
        raise RunError("programs can be run on Linux alone, or without isolation on macOS", where=os.name)
    nonce = secrets.token_hex(16)
    spec = {
        "program": program,
        "test": test,
        "call": call,
        "nonce": nonce,
        "kernel": isolation == "kernel",
        "cpu_seconds": limits.cpu_seconds,
        "memory_bytes": limits.memory_bytes,
    }
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="truing-sandbox-"))
        question = stack.enter_context(_file(json.dumps(spec)))
        standard_input = stack.enter_context(_file(given))
        report_in, report_out = os.pipe()
        with os.fdopen(report_in, "rb", 0) as report:
            try:
                process = _start(folder, question.fileno(), standard_input.fileno(), report_out)
            finally:
                os.close(report_out)
            try:
                said, output, too_much, timed_out = _watch(process, report, limits)
            finally:
                _kill(process)
    return _ended(process, nonce, said, output, too_much, timed_out)


@contextlib.contextmanager
def _file(text: str) -> Iterator[IO[bytes]]:
    """An open file without a name that holds a text."""
    with tempfile.TemporaryFile() as file:
        file.write(text.encode("utf-8", "replace"))
        file.seek(0)
        yield file


def _start(folder: str, question: int, standard_input: int, report: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(_GUARD), str(question), str(report)],
            stdin=standard_input,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(question, report),
            cwd=folder,
            env={"PYTHONHASHSEED": "0"},
            start_new_session=True,
        )
    except OSError as error:
        raise RunError(f"the sandbox cannot start Python: {error}", where=sys.executable) from None


def _watch(process: subprocess.Popen[bytes], report: Any, limits: Limits) -> tuple[bytes, bytes, bool, bool]:
    """Read until both pipes are closed, the time is over or there is too much to read."""
    assert process.stdout is not None
    end = time.monotonic() + limits.seconds
    parts: dict[Any, bytearray] = {process.stdout: bytearray(), report: bytearray()}
    most = {process.stdout: limits.output, report: _REPORT}
    too_much = timed_out = False
    with selectors.DefaultSelector() as selector:
        for pipe in parts:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and not too_much:
            ready = selector.select(max(0.0, end - time.monotonic()))
            if time.monotonic() >= end:
                timed_out = True
                break
            for key, _ in ready:
                read = os.read(key.fd, 2**16)
                if not read:
                    selector.unregister(key.fileobj)
                parts[key.fileobj] += read
                too_much = too_much or len(parts[key.fileobj]) > most[key.fileobj]
    if not too_much and not timed_out:
        try:
            process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            timed_out = True
    return bytes(parts[report]), bytes(parts[process.stdout]), too_much, timed_out


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and its group, whatever it thinks of signals."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _ended(
    process: subprocess.Popen[bytes], nonce: str, said: bytes, output: bytes, too_much: bool, timed_out: bool
) -> Ended:
    report: dict[str, Any] = {}
    refused: list[str] = []
    for line in said.splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(row, dict):
            continue
        if "unavailable" in row:
            raise RunError(
                f"code cannot be isolated on this machine: {row['unavailable']}",
                allowed="Linux 5.13 or newer with Landlock and seccomp, on x86-64 or aarch64",
                fix="run where the kernel offers both; or, if every program is trusted, say isolation: none",
            )
        if "refused" in row:
            refused.append(str(row["refused"]))
        if row.get("nonce") == nonce:
            report = row
    code = process.returncode
    over = timed_out or code == -signal.SIGXCPU
    return Ended(report, tuple(refused), output, too_much, over, -code if code < 0 else 0)
