"""Test cases of a program: what each gives it, what it should answer, and what came of it."""

from __future__ import annotations

import json
import math
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from truing.rewards.functions.sandbox.limits import Limits
from truing.rewards.functions.sandbox.process import Ended, Isolation, run_program

Status = Literal["passed", "failed", "error", "timeout", "refused"]


@dataclass(frozen=True)
class Result:
    """What came of a test case.

    Attributes:
        status: ``passed``; ``failed``: the answer is wrong; ``error``: the program or the test ended otherwise;
            ``timeout``; ``refused``: the program tried what it may not do, whatever else it did.
        why: in a few words; empty if it passed.
    """

    status: Status
    why: str = ""


@dataclass(frozen=True)
class Checks:
    """Python that runs after the program, with its names, and raises ``AssertionError`` where it is wrong.

    The program runs in the same process: one that was made to deceive its tests can.
    """

    code: str

    def run(self, program: str, limits: Limits, isolation: Isolation) -> Result:
        ended = run_program(program, limits, isolation, test=self.code)
        found = _abnormal(ended)
        if found is not None:
            return found
        if ended.report.get("finished"):
            return Result("passed")
        return Result("error", "it ended before its tests")


@dataclass(frozen=True)
class Call:
    """An expression and its value as JSON; the value that is expected never enters the sandbox."""

    expression: str
    expected: Any

    def run(self, program: str, limits: Limits, isolation: Isolation) -> Result:
        ended = run_program(program, limits, isolation, call=self.expression)
        found = _abnormal(ended)
        if found is not None:
            return found
        try:
            value = json.loads(ended.report["value"])
        except (KeyError, TypeError, ValueError, RecursionError):
            return Result("error", "there is no value")
        if same_value(value, self.expected):
            return Result("passed")
        return Result("failed", f"{json.dumps(value)[:80]} and not {json.dumps(self.expected, default=str)[:80]}")


@dataclass(frozen=True)
class Dialogue:
    """Standard input and output, compared without space at ends of lines; the output never enters the sandbox."""

    given: str
    expected: str

    def run(self, program: str, limits: Limits, isolation: Isolation) -> Result:
        ended = run_program(program, limits, isolation, given=self.given)
        found = _abnormal(ended)
        if found is not None:
            return found
        if ended.report.get("exit", 0):
            return Result("error", f"it ended with status {ended.report['exit']}")
        printed = ended.output.decode("utf-8", "replace")
        if _lines(printed) == _lines(self.expected):
            return Result("passed")
        return Result("failed", f"{printed[:80]!r} and not {self.expected[:80]!r}")


Case = Checks | Call | Dialogue


def case(value: Any) -> Case:
    """A test case as data sets have it: Python as text, ``{call, expect}``, or ``{input, output}``.

    Raises:
        ValueError: if it is none of these; the message says what is allowed.
    """
    if isinstance(value, str) and value.strip():
        return Checks(value)
    # Tables give every row every key.
    keys = {key for key, held in value.items() if held is not None} if isinstance(value, Mapping) else set()
    if isinstance(value, Mapping) and {"call"} <= keys <= {"call", "expect"} and isinstance(value["call"], str):
        return Call(value["call"], value.get("expect"))
    if isinstance(value, Mapping) and keys == {"input", "output"}:
        return Dialogue(str(value["input"]), str(value["output"]))
    raise ValueError(
        f"{str(value)[:60]!r} is no test case: a text with assert statements, {{call, expect}} or {{input, output}}"
    )


def same_value(found: Any, expected: Any) -> bool:
    """Equality of JSON values; floating-point numbers up to a billionth of their size, tuples as lists."""
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, int | float) and isinstance(expected, int | float):
        if isinstance(found, int) and isinstance(expected, int):
            return found == expected
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12) or found == expected
    if isinstance(found, list) and isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(same_value, found, expected))
    if isinstance(found, dict) and isinstance(expected, Mapping):
        return found.keys() == expected.keys() and all(same_value(found[key], expected[key]) for key in found)
    return bool(found == expected)


def _abnormal(ended: Ended) -> Result | None:
    """What came of it, where it did not end as a program should."""
    if ended.refused:
        return Result("refused", ended.refused[0])
    if ended.timed_out:
        return Result("timeout", "it took too long")
    if ended.too_much:
        return Result("error", "it printed too much")
    if ended.signal:
        return Result("error", f"it was ended by {_name(ended.signal)}")
    if "failed" in ended.report:
        return Result("failed", str(ended.report["failed"]))
    if "error" in ended.report:
        return Result("error", str(ended.report["error"]))
    return None


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines
