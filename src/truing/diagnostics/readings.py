"""One measured number and what it means in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from truing.statistics import Estimate

Weight = Literal["plain", "note", "warning"]


@dataclass(frozen=True)
class Reading:
    """A number of a diagnosis.

    Attributes:
        audit: the audit that it belongs to, for ``truing explain``; empty where it is a plain statistic.
        name: identifier, as in JSON.
        title: short, for a table.
        estimate: with its 95 % interval and n.
        unit: ``share`` or a unit.
        says: what it means here, in one or two sentences.
        weight: ``warning`` where it wants attention, ``note`` where it explains, ``plain`` else.
    """

    audit: str
    name: str
    title: str
    estimate: Estimate
    unit: str
    says: str
    weight: Weight = "plain"

    def as_dict(self) -> dict[str, Any]:
        return {
            "audit": self.audit,
            "name": self.name,
            **self.estimate.as_dict(),
            "unit": self.unit,
            "says": self.says,
            "weight": self.weight,
        }

    @property
    def measured(self) -> str:
        """The number with its interval, for a table."""
        e = self.estimate
        if e.n == 0 or e.value != e.value:
            return "unknown"
        if self.unit == "share":
            return f"{e.value:.1%} ({e.low:.1%} to {e.high:.1%})"
        shown = f"{e.value:+.3g} ({e.low:+.3g} to {e.high:+.3g})" if self.unit.startswith("Δ") else ""
        shown = shown or f"{e.value:.3g} ({e.low:.3g} to {e.high:.3g})"
        return f"{shown} {self.unit.removeprefix('Δ').strip()}".strip()
