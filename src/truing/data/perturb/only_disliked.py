"""Negatives only: what is known where nobody says what a good answer would have been."""

from __future__ import annotations

from truing.data.perturb.base import Perturbation, perturbation, refuse
from truing.data.records import Records
from truing.data.views import view


@perturbation("only_disliked", "keeps the rejected, worst or disliked answers and nothing else")
class OnlyDisliked(Perturbation):
    """Drops every liked answer, so that only objectives that move away from answers can follow.

    It has no share: ``drop_liked`` leaves some of the liked answers, this leaves none. Which records are hit depends
    on no seed.
    """

    def apply(self, records: Records) -> Records:
        """Unwanted answers: of a pair the rejected, of a ranking the worst, of single answers the disliked."""
        if records.kind == "demonstrations":
            raise refuse(records, "only_disliked", ("pairs", "ranked", "unpaired"))
        return view(records, ["unwanted"])
