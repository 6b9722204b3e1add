"""Claims with what was predicted and what was measured, as table rows."""

from __future__ import annotations

from typing import Any

from markup import plain

HEAD = ("claim", "predicted", "measured", "follows from")


def row(result: dict[str, Any]) -> tuple[str, str, str, str]:
    """One claim."""
    return plain(result["claim"]), plain(predicted(result)), plain(measured(result)), plain(result["source"])


def predicted(result: dict[str, Any]) -> str:
    """E.g. ``2.1972 ± 0.001 nats`` or ``> 0 nats``."""
    if result["relation"] == "=":
        return f"{result['predicted']:.5g} ± {result['tolerance']:.1g} {result['unit']}"
    return f"{result['relation']} {result['predicted']:.4g} {result['unit']}"


def measured(result: dict[str, Any]) -> str:
    """The number, with its 95 % interval where it has one."""
    shown = f"{result['measured']:.5g}"
    interval = result["interval"]
    return shown if interval is None else f"{shown} (95 % interval {interval[0]:.4g} to {interval[1]:.4g})"
