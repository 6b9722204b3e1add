"""Verifiable reward: whether a program passes its tests, run in a sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Annotated, Any

import torch
from pydantic import Field

from truing.errors import RunError
from truing.parameters import POSITIVE, Doc
from truing.rewards.algebra import Columns, Prompt, Rewards
from truing.rewards.functions.parameters import Column
from truing.rewards.functions.prompt_text import query
from truing.rewards.functions.rules import column, masked, missing
from truing.rewards.functions.sandbox.cases import Case, Checks, Result, case
from truing.rewards.functions.sandbox.limits import Limits
from truing.rewards.functions.sandbox.process import Isolation
from truing.rewards.plain import plain

Seconds = Annotated[
    float, POSITIVE, Doc("for one test case, by the clock, start of Python included", "seconds > 0")
]
Memory = Annotated[int, Field(ge=64), Doc("address space of a test case, MiB", "64 or more")]
Share = Annotated[
    bool, Doc("reward the share of tests that pass; otherwise 1 where all do, and 0", "true or false")
]
AfterPrompt = Annotated[
    bool, Doc("the answer continues the prompt, which is put in front of it (HumanEval)", "true or false")
]
Isolate = Annotated[
    Isolation,
    Doc(
        "kernel: no files, network or processes, by Landlock and seccomp of Linux. none: limits and messages "
        "alone, no boundary; for programs that are trusted",
        "kernel or none",
    ),
]
Workers = Annotated[int, Field(gt=0, le=256), Doc("test cases that run at a time", "1 to 256")]

_FENCED = re.compile(r"^[ \t]*```[ \t]*(\w*)[^\n]*\n(.*?)^[ \t]*```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class CodeTests:
    """Programs against the tests of their records.

    Args:
        column: holds a list of test cases, or one; see :func:`~truing.rewards.functions.sandbox.cases.case`.
        limits: of a test case.
        isolation: of a test case.
        share: of tests, or all or nothing.
        after_prompt: whether the prompt is the beginning of the program.
        workers: test cases that run at a time.
    """

    column: str
    limits: Limits = field(default_factory=Limits)
    isolation: Isolation = "kernel"
    share: bool = False
    after_prompt: bool = False
    workers: int = 2
    names: tuple[str, ...] = ("code-tests",)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def __call__(
        self, prompts: Sequence[Prompt], completions: Sequence[str], columns: Columns | None = None
    ) -> Rewards:
        values = torch.zeros(len(completions), dtype=torch.float64)
        why: dict[int, str] = {}
        for row, results in enumerate(self.results(prompts, completions, columns)):
            if isinstance(results, str):
                why[row] = results
                continue
            passed = sum(result.status == "passed" for result in results)
            values[row] = passed / len(results) if self.share else float(passed == len(results))
        return masked(values, self.names[0], self.column, why)

    def results(
        self, prompts: Sequence[Prompt], completions: Sequence[str], columns: Columns | None = None
    ) -> list[list[Result] | str]:
        """What came of each test case of each answer; a reason, where its record has no tests.

        Raises:
            DataError: if the column is not there.
            RunError: if programs cannot be isolated on this machine.
        """
        tests = column(columns, self.column, len(completions), self.names[0])
        found: list[list[Result] | str] = []
        with ThreadPoolExecutor(self.workers, "sandbox") as pool:
            running: list[Any] = []
            for prompt, completion, value in zip(prompts, completions, tests, strict=True):
                try:
                    cases = _cases(value)
                except ValueError as error:
                    running.append(str(error))
                    continue
                program = (query(prompt) if self.after_prompt else "") + code_of(completion)
                running.append([pool.submit(one.run, program, self.limits, self.isolation) for one in cases])
            try:
                for futures in running:
                    ready = futures if isinstance(futures, str) else [future.result() for future in futures]
                    found.append(ready)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        return found


def code_of(completion: str) -> str:
    """The program in an answer: the last fenced block of Python, else the last block, else all of it."""
    blocks = _FENCED.findall(completion)
    python = [code for language, code in blocks if language.lower() in ("python", "py", "python3")]
    if python or blocks:
        return str(python[-1] if python else blocks[-1][1])
    return completion


def _cases(value: Any) -> list[Case]:
    """The test cases of a record.

    Raises:
        ValueError: if there are none, or one is no test case.
    """
    if missing(value):
        raise ValueError("it is empty")
    if isinstance(value, str) and value.lstrip().startswith("["):
        # Lists of mappings are often kept as JSON.
        try:
            value = json.loads(value)
        except ValueError:
            return [case(value)]
    return [case(one) for one in value] if isinstance(value, list | tuple) else [case(value)]


@plain(
    kind="reward",
    name="code-tests",
    summary="Whether the program in an answer passes its record's tests, each in a sandbox of its own.",
    reaches="runs programs",
)
def code_tests(
    column: Column = "tests",
    seconds: Seconds = 5.0,
    memory: Memory = 512,
    share: Share = False,
    after_prompt: AfterPrompt = False,
    isolation: Isolate = "kernel",
    workers: Workers = 2,
) -> CodeTests:
    """1[all tests pass], or the share that does.

    Raises:
        RunError: if isolation is kernel, and this machine's kernel cannot do it.
    """
    made = CodeTests(column, Limits(seconds, memory), isolation, share, after_prompt, workers)
    tried = Checks("assert True").run("", Limits(max(seconds, 30.0), memory), isolation)
    if tried.status != "passed":
        raise RunError(
            f"an empty program does not run in the sandbox: {tried.status}, {tried.why}",
            fix="raise memory, if that is what it lacks",
        )
    return made
