"""Wrong labels at a known rate: the noise that robust objectives are made for."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from truing.data.perturb.base import Perturbation, perturbation, refuse, rewritten
from truing.data.records import Records


@perturbation("flip_labels", "exchanges chosen and rejected, or liked and disliked, in a share of the records")
class FlipLabels(Perturbation):
    """Exchanges chosen and rejected (or liked and disliked) in exactly ``rate`` of the records, rounded.

    A margin changes its sign, and the probability that chosen is preferred becomes its complement.
    """

    rate: Annotated[float, Field(ge=0, le=1)]
    """Share of the records whose label is wrong, from 0 to 1."""

    def apply(self, records: Records) -> Records:
        """Records with some labels exchanged."""
        if records.kind not in ("pairs", "unpaired"):
            raise refuse(records, "flip_labels", ("pairs", "unpaired"))
        hit = set(self.order(len(records))[: round(self.rate * len(records))])
        flip = _flip_pair if records.kind == "pairs" else _flip_answer
        note = f"perturbed: {len(hit):,} of {len(records):,} labels were exchanged (seed {self.seed})"
        return rewritten(records, lambda number, row: flip(row) if number in hit else row, self, note)


def _flip_pair(row: dict[str, Any]) -> dict[str, Any]:
    new = {**row, "chosen": row["rejected"], "rejected": row["chosen"]}
    if row.get("margin") is not None:
        new["margin"] = -row["margin"]
    if row.get("preference") is not None:
        new["preference"] = 1 - row["preference"]
    # What was written about an answer goes with it.
    for one, other in (("critique_chosen", "critique_rejected"), ("critique_rejected", "critique_chosen")):
        if row.get(other) is not None:
            new[one] = row[other]
    return new


def _flip_answer(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "label": not row["label"]}
