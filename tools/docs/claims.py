"""Claims with what was predicted and what was measured, as table rows."""

from __future__ import annotations

from typing import Any

from markup import plain

from truing.evidence_text import measured, predicted

HEAD = ("claim", "predicted", "measured", "follows from")


def row(result: dict[str, Any]) -> tuple[str, str, str, str]:
    """One claim."""
    return plain(result["claim"]), plain(predicted(result)), plain(measured(result)), plain(result["source"])
