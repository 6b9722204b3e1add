"""A claim's prediction and measurement as text: the same on the terminal, in the docs and for any seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def predicted(result: Mapping[str, Any]) -> str:
    """E.g. ``2.1972 ± 0.001 nats`` or ``> 0 nats``.

    Args:
        result: as ``truing verify --json`` prints it.
    """
    if result["relation"] == "=":
        margin = f" ± {result['tolerance']:.1g}" if result["tolerance"] else ""
        return f"{result['predicted']:.5g}{margin} {result['unit']}"
    return f"{result['relation']} {result['predicted']:.4g} {result['unit']}"


def measured(result: Mapping[str, Any]) -> str:
    """The number, with its 95 % interval where it has one."""
    if result["measured"] is None:
        return "not a number"
    shown = f"{result['measured']:.5g}"
    interval = result["interval"]
    return shown if interval is None else f"{shown} (95 % interval {interval[0]:.4g} to {interval[1]:.4g})"
