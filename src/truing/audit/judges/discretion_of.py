"""Discretion of the annotators of real data, and of judges and scorers that annotate the same pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from truing.audit.judges.annotation import read_ratings
from truing.audit.judges.comparing import compared_once
from truing.audit.judges.discretion import Discretion, discretion
from truing.audit.judges.principles import COUNTED_PRINCIPLES, asked_votes, counted_votes, scorer_choices
from truing.audit.judges.properties import compared
from truing.audit.judges.votes import Votes
from truing.errors import DataError
from truing.json_values import plain
from truing.judging.comparer import Comparer
from truing.statistics import Estimate


@dataclass(frozen=True)
class Audited:
    """Discretion, and how far the oracles of the principles can be trusted.

    Attributes:
        discretion: the metrics.
        consistent: share of pairs of which an oracle says the same in both orders, by principle; empty where nobody was
            asked.
    """

    discretion: Discretion
    consistent: dict[str, Estimate]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(
            {
                **self.discretion.as_dict(),
                "consistent": {k: own.as_dict() for k, own in self.consistent.items()},
            }
        )
        return found

    def sentences(self) -> list[str]:
        """For people."""
        told = [
            f"The oracle of {name} says the same in both orders of {own.value:.1%} of {own.n:,} pairs."
            for name, own in self.consistent.items()
        ]
        return [*told, *self.discretion.sentences()]


def audit_discretion(
    votes: Votes,
    *,
    judges: Sequence[Comparer] = (),
    scorers: Sequence[str] = (),
    oracles: Mapping[str, Comparer] | None = None,
    ratings: Path | None = None,
    draws: int = 200,
    seed: int = 0,
) -> Audited:
    """Measure the annotators of the data, and those that are added.

    Args:
        votes: of the data.
        judges: further annotators, asked about every pair in both orders.
        scorers: packaged scorers as further annotators.
        oracles: a judge for each principle; where neither they nor ``ratings`` are given, principles are counted.
        ratings: file with columns ``PRINCIPLE_chosen`` and ``PRINCIPLE_rejected``, of which the larger is preferred.
        draws, seed: of the bootstrap.

    Raises:
        TruingError: on anything the user can mend.
    """
    if oracles and ratings is not None:
        raise DataError("principles come from a file or from a model", where="--ratings, --oracle", fix="drop one")
    consistent: dict[str, Estimate] = {}
    if ratings is not None:
        names, table = read_ratings(ratings, votes.ids, drawn=votes.drawn)
        opinions = compared(table)
    elif oracles:
        names = tuple(oracles)

        def ask(prompts: Sequence[str], first: Sequence[str], second: Sequence[str]) -> np.ndarray:
            asked = asked_votes(oracles, prompts, first, second)
            consistent.update(asked.consistent)
            return asked.votes

        opinions = compared_once(votes, ask)
    else:
        names = tuple(COUNTED_PRINCIPLES)
        opinions = compared_once(votes, lambda *texts: counted_votes(names, *texts))
    once = votes.once()
    added = [votes.by(judge) for judge in judges]
    for name in scorers:
        signs = scorer_choices(name, once.prompts, once.first, once.second)
        added.append(replace(once, judges=(name,) * len(once), signs=signs))
    everything = votes.joined(*added)
    rows = votes.rows_of(everything)
    found = discretion(
        opinions[rows],
        everything.signs,
        names,
        annotators=everything.judges,
        groups=everything.prompts,
        draws=draws,
        seed=seed,
    )
    return Audited(found, consistent)
