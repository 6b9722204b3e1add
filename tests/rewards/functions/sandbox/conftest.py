"""Tests of isolation need a kernel that isolates, and skip visibly where there is none."""

import pytest

from truing.errors import RunError
from truing.rewards.functions.sandbox.cases import Checks
from truing.rewards.functions.sandbox.limits import Limits


@pytest.fixture(scope="session")
def isolated() -> None:
    """Skips where programs cannot be isolated."""
    try:
        Checks("pass").run("", Limits(30.0), "kernel")
    except RunError as error:
        pytest.skip(error.what)
