"""Length and quality confounded, one way or the other: only pairs whose chosen answer is longer, or shorter."""

from __future__ import annotations

from typing import Any, Literal

from truing.data.perturb.base import Perturbation, perturbation, refuse, selected
from truing.data.records import Records


@perturbation("keep_by_length", "keeps the pairs whose chosen answer is longer (or shorter) than the rejected one")
class KeepByLength(Perturbation):
    """Keeps the pairs whose chosen answer is longer (or shorter), in characters; equal lengths are dropped."""

    chosen: Literal["longer", "shorter"]
    """Which of the two the chosen answer has to be: longer or shorter."""

    def apply(self, records: Records) -> Records:
        """Some of the pairs."""
        if records.kind != "pairs":
            raise refuse(records, "keep_by_length", ("pairs",))
        sign = 1 if self.chosen == "longer" else -1
        kept = [
            number
            for number, row in enumerate(records.dataset)
            if sign * (_characters(row["chosen"]) - _characters(row["rejected"])) > 0
        ]
        note = f"perturbed: {len(kept):,} of {len(records):,} pairs were kept, whose chosen answer is the {self.chosen}"
        return selected(records, kept, note)


def _characters(answer: Any) -> int:
    return len(answer) if isinstance(answer, str) else sum(len(message["content"]) for message in answer)
