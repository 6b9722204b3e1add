"""The public names."""

from __future__ import annotations

import subprocess
import sys

import pytest

import truing


def test_every_public_name_can_be_loaded() -> None:
    assert sorted(truing._HOMES) == sorted(truing.__all__)
    for name in truing.__all__:
        assert callable(getattr(truing, name)), name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'alighn'"):
        truing.alighn  # noqa: B018


def test_importing_costs_no_heavy_library() -> None:
    code = (
        "import truing, truing.cli.app, sys;"
        "print([m for m in ('torch', 'transformers', 'datasets', 'numpy', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
