"""What verdicts in a file show of their judge's biases: which place wins, and whether length does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from truing.audit.judges.properties import longer
from truing.errors import DataError
from truing.json_values import plain
from truing.judging.items import Item
from truing.statistics import UNKNOWN, Estimate, rate


@dataclass(frozen=True)
class RecordedBias:
    """Observed, not injected: a judge may be right to prefer what it prefers.

    Attributes:
        judge: whose verdicts.
        verdicts: that are recorded.
        ties: share of ties.
        first: share of decided verdicts for the answer that stood first; unknown where the file does not show it.
        longer: share of decided verdicts for the longer answer, where one is clearly longer.
    """

    judge: str
    verdicts: int
    ties: Estimate
    first: Estimate
    longer: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(asdict(self))
        return found

    def sentences(self) -> list[str]:
        """For people."""
        lines = [f"{self.judge}: {self.verdicts:,} verdicts, {self.ties.value:.1%} ties."]
        for own, what, fair in (
            (self.first, "that stands first", "50 % is expected if places do not matter and were given at random"),
            (self.longer, "that is longer, where one is,", "no proof of a bias, as longer answers may be better"),
        ):
            if own.n:
                lines.append(
                    f"The answer {what} wins {own.value:.1%} (95 % interval {own.low:.1%} to {own.high:.1%}, "
                    f"{own.n:,} decided verdicts); {fair}."
                )
        if not self.first.n:
            lines.append("The file does not show which answer stood first.")
        return lines


def recorded_bias(items: Sequence[Item]) -> RecordedBias:
    """Biases of the verdicts that a file holds.

    Where a file keeps the answers in one order for all pairs, as chosen and rejected, their places say nothing. A file
    that says how they were shown is believed; else its own order is taken for the order in which they were shown.

    Raises:
        DataError: if it holds no verdict.
    """
    sides = [item.recorded.side for item in items]
    known = [side for side in sides if side is not None]
    if not known:
        raise DataError("no verdict is recorded", where="--recorded", fix="name a judge by --judge")
    shown = [item.as_shown for item in items]
    if any(own is not None for own in shown):
        placed = [own.side for own in shown if own is not None]
    else:
        placed = list(known) if len(set(known) - {"tie"}) == 2 else []
    placed = [side for side in placed if side in ("first", "second")]
    apart = np.array([longer(len(item.pair.a.split()), len(item.pair.b.split())) for item in items])
    votes = np.array([{"first": 1, "second": -1}.get(side or "", 0) for side in sides])
    told = (apart != 0) & (votes != 0)
    return RecordedBias(
        " + ".join(dict.fromkeys(item.labelled_by for item in items)),
        len(known),
        rate(known.count("tie"), len(known)),
        rate(placed.count("first"), len(placed)) if placed else UNKNOWN,
        rate(float((apart == votes)[told].sum()), int(told.sum())),
    )
