"""Judges that see two answers in two places: whether the verdict stays when the answers change places."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from truing.json_values import plain
from truing.statistics import Estimate, rate


@dataclass(frozen=True)
class OrderReport:
    """A judge asked in both orders.

    Attributes:
        consistent: share of pairs with the same winner in both orders; a tie in both is consistent.
        first: share of verdicts for whichever answer stands first; one half where places do not matter.
        strict: accuracy where a contradiction counts as wrong.
        lenient: accuracy where a contradiction counts one half.
    """

    consistent: Estimate
    first: Estimate
    strict: Estimate
    lenient: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(asdict(self))
        return found

    def sentence(self) -> str:
        """For people."""
        own = self.consistent
        return (
            f"Its verdict is the same in both orders for {own.value:.1%} of pairs (95 % interval {own.low:.1%} to "
            f"{own.high:.1%}, {own.n} pairs); the answer that stands first wins {self.first.value:.1%} of verdicts. "
            f"Accuracy is {self.strict.value:.1%} where contradictions count as wrong, {self.lenient.value:.1%} where "
            "they count one half."
        )


def order_report(orders: Float[np.ndarray, "pairs two"]) -> OrderReport:
    """What two orders tell.

    Args:
        orders: above 0 where the better answer wins; in the first column it stands first, in the second it stands
            second. Pairs without a verdict in one of them are left out.
    """
    known = np.sign(orders[np.isfinite(orders).all(1)])
    same = known[:, 0] == known[:, 1]
    for_first = np.stack([known[:, 0], -known[:, 1]], 1)
    count = len(known)
    right = (1 + known) / 2
    return OrderReport(
        consistent=rate(float(same.sum()), count),
        first=rate(float(((1 + for_first) / 2).mean(1).sum()), count),
        strict=rate(float((right.mean(1) * same).sum()), count),
        lenient=rate(float(np.where(same, right[:, 0], 0.5).sum()), count),
    )


def settled(orders: Float[np.ndarray, "pairs two"], contradiction: float) -> Float[np.ndarray, " pairs"]:
    """1 where both orders favour the better answer, 0 where none does, one half where both are ties.

    Args:
        orders: as for :func:`order_report`.
        contradiction: what all other pairs count, those without a verdict included.
    """
    signs = np.sign(orders)
    found: np.ndarray = np.where(signs[:, 0] == signs[:, 1], (1 + signs[:, 0]) / 2, contradiction)
    return found
