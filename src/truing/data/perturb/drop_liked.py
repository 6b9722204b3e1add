"""Many dislikes for each like: what feedback from a running service looks like."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from truing.data.perturb.base import Perturbation, perturbation, refuse, selected
from truing.data.records import Records
from truing.data.views import view


@perturbation("drop_liked", "reads pairs one answer at a time and drops a share of the liked answers")
class DropLiked(Perturbation):
    """Drops a share of the liked answers, so that disliked ones outnumber them.

    Pairs and ranked answers are read one at a time first, so that only objectives for unpaired answers can follow.
    """

    share: Annotated[float, Field(ge=0, lt=1)]
    """Share of the liked answers that is dropped, from 0 to below 1."""

    def apply(self, records: Records) -> Records:
        """Unpaired records with fewer liked answers."""
        if records.kind == "demonstrations":
            raise refuse(records, "drop_liked", ("pairs", "ranked", "unpaired"))
        single = view(records, ["unpaired"])
        liked = [number for number, row in enumerate(single.dataset) if row["label"]]
        gone = {liked[place] for place in self.order(len(liked))[: round(self.share * len(liked))]}
        kept = [number for number in range(len(single)) if number not in gone]
        note = f"perturbed: {len(gone):,} of {len(liked):,} liked answers were dropped (seed {self.seed})"
        return selected(single, kept, note)
