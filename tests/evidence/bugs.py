"""What all tests of planted bugs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from truing.evidence import CLAIMS, verify

Bug = Callable[..., Any]


def planted(bugs: Mapping[str, Sequence[Bug]]) -> pytest.MarkDecorator:
    """Parametrises a test with ``name`` and ``bug``, for every bug that a claim is paired with."""
    cases = [pytest.param(name, bug, id=f"{name}-{bug.__name__}") for name, found in bugs.items() for bug in found]
    return pytest.mark.parametrize(("name", "bug"), cases)


def claims_of(*methods: str) -> set[str]:
    """Names of the claims about these methods."""
    return {entry.name for entry in CLAIMS if entry.method in methods}


def must_hold(name: str) -> None:
    """Fail if the claim does not hold."""
    (result,) = verify(name)
    assert result.passed, f"{name} does not hold: measured {result.measured_text}"


def must_fail(name: str, bug: Bug, factory: Callable[..., Any] | None = None) -> None:
    """Fail if the claim holds on the bug.

    Args:
        name: of the claim.
        bug: stands in the method's place.
        factory: what stands in the method's place instead, if the bug was put into something else.
    """
    (result,) = verify(name, factory=factory or bug)
    assert not result.passed, f"{name} holds on {bug.__name__}: measured {result.measured_text}"


def must_fail_now(name: str, bug: Bug) -> None:
    """Fail if the claim holds although a bug was put into what the method calls."""
    (result,) = verify(name)
    assert not result.passed, f"{name} holds on {bug.__name__}: measured {result.measured_text}"


def with_planted_bugs() -> set[str]:
    """Names of the claims that some test file pairs with bugs, in a table ``BUGS``."""
    root = Path(__file__).resolve().parents[2]
    files = [path for path in sorted((root / "tests").rglob("test_*.py")) if "\nBUGS" in path.read_text("utf-8")]
    modules = [import_module(".".join(path.relative_to(root).with_suffix("").parts)) for path in files]
    return {name for module in modules for name in module.BUGS}
