"""Labels of a data set repaired by the votes of linear rewards on states of a frozen model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from truing.data.perturb.base import rewritten
from truing.data.records import Records
from truing.data.rows import Row
from truing.errors import DataError
from truing.rewards.labels.strength import Repairs, Strength, Votes
from truing.rewards.lookup import named, piece
from truing.rewards.personal.encoder import FrozenEncoder
from truing.statistics import Estimate, mean

KIND = "label repair"
KNOWS_LITTLE = 0.6
"""Share of agreement with labels below which exchanging them is called a risk."""

_SIDES = (
    ("chosen", "rejected"),
    ("score_chosen", "score_rejected"),
    ("critique_chosen", "critique_rejected"),
)
"""Columns that are exchanged where a label is."""

_DOUBT = (
    "They know little more than chance, so that many of these labels may have been right: take more pairs or a better "
    "frozen model before you train on the result."
)


@dataclass(frozen=True)
class Mended:
    """Repaired pairs, and what was done.

    Attributes:
        records: with ``preference`` and ``margin`` in every row; exchanged answers where a label was flipped.
        ids: of the pairs that could be judged.
        votes: of the ensemble on the labels as they were.
        repairs: of the same pairs.
    """

    records: Records
    ids: tuple[str, ...]
    votes: Votes
    repairs: Repairs

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "pairs": len(self.ids),
            "flipped": int(self.repairs.flipped.sum()),
            "soft": int(self.repairs.soft.sum()),
            "agreement": self.agreement.as_dict(),
            "temperature": self.votes.temperature,
            "strength": {
                name: [float(m), float(s)]
                for name, m, s in zip(self.ids, self.votes.strength, self.votes.spread, strict=True)
            },
        }

    @property
    def agreement(self) -> Estimate:
        """Share of labels that members fitted on other pairs agree with."""
        return mean((self.votes.strength > 0).astype(np.float64))

    def sentences(self) -> list[str]:
        """What a person should know."""
        own = self.agreement
        weakest = np.argsort(self.votes.strength, kind="stable")[:3]
        shown = ", ".join(f"{self.ids[i]} ({self.votes.strength[i]:+.2f})" for i in weakest)
        lines = [
            f"Members that did not see a pair agree with {own.value:.1%} of the labels ({own.low:.1%} to "
            f"{own.high:.1%}, {own.n} pairs); their gaps were divided by {self.votes.temperature:.3g}.",
            f"{int(self.repairs.flipped.sum())} labels were exchanged, {int(self.repairs.soft.sum())} made uncertain.",
            f"The weakest preferences, in nats: {shown}.",
        ]
        return lines if own.low >= KNOWS_LITTLE else [*lines, _DOUBT]


@dataclass(frozen=True)
class Repair:
    """Repairs labels of pairs.

    Attributes:
        settings: of votes and repairs.
        model: the frozen language model.
        max_length: of prompt plus answer, tokens.
    """

    settings: Strength
    model: str
    max_length: int

    def __call__(self, records: Records) -> Mended:
        """Pairs with repaired labels; rows that cannot be tokenised stay as they are.

        Raises:
            DataError: if the records are no pairs, are streamed, or the ensemble is at chance.
        """
        if records.kind != "pairs":
            raise DataError(
                f"labels of pairs are repaired, and these are {records.kind} data", where=records.source
            )
        if records.streaming:
            raise DataError(
                "labels of a stream cannot be judged", where="data.streaming", fix="read the data whole"
            )
        encoder = FrozenEncoder.load(self.model)
        examples = encoder.examples(records, max_length=self.max_length)
        pairs = encoder.labelled([""] * len(examples), examples)
        ids = tuple(str(row["id"]) for row in examples.take(range(len(examples))))
        votes = self.settings.votes((pairs.chosen - pairs.rejected).double().numpy())
        repairs = self.settings.repairs(votes)
        places = {name: place for place, name in enumerate(ids)}

        def changed(number: int, row: Row) -> Row:
            place = places.get(str(row["id"]))
            return _unchanged(row) if place is None else _changed(row, repairs, place)

        flipped, soft = int(repairs.flipped.sum()), int(repairs.soft.sum())
        note = (
            f"repaired: {flipped:,} of {len(ids):,} labels exchanged and {soft:,} made uncertain by linear rewards on "
            f"states of {self.model}"
        )
        found = Mended(rewritten(records, changed, self, note), ids, votes, repairs)
        if found.agreement.low >= KNOWS_LITTLE:
            return found
        return replace(found, records=found.records.with_notes(_DOUBT))


def _changed(row: Row, repairs: Repairs, place: int) -> Row:
    new = {**row, "preference": float(repairs.preference[place]), "margin": float(repairs.margin[place])}
    if repairs.flipped[place]:
        for one, other in _SIDES:
            if one in row or other in row:
                new[one], new[other] = row.get(other), row.get(one)
    return new


def _unchanged(row: Row) -> Row:
    return {**row, "preference": 1.0, "margin": 0.0}


def repair_of(spec: object, model: str, where: str = "data.repair", max_length: int = 512) -> Repair:
    """What a recipe describes.

    Args:
        spec: a name, or a mapping with ``name`` and hyper-parameters, ``model`` and ``max_length`` among them.
        model: the frozen model, where the mapping names none.
        where: key path, for messages.
        max_length: where the mapping says none.

    Raises:
        RecipeError: on an unknown name.
        ObjectiveError: on an unknown hyper-parameter or a value out of bounds.
    """
    name, values = named(spec, KIND, where)
    own: Mapping[str, Any] = {"model": model, "max_length": max_length, **values}
    settings = {key: value for key, value in own.items() if key not in ("model", "max_length")}
    made: Strength = piece(name, KIND, where).configure(settings, where)
    return Repair(made, str(own["model"]), int(own["max_length"]))
