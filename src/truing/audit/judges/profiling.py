"""Factor-level preferences on real data: annotators, judges and writers beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from truing.audit.judges.annotation import read_ratings
from truing.audit.judges.comparing import compared_once
from truing.audit.judges.factor_scores import Ties
from truing.audit.judges.levels import Written
from truing.audit.judges.measures import MEASURES
from truing.audit.judges.profile import Profile, profile
from truing.audit.judges.properties import lengths_compared
from truing.audit.judges.votes import Votes
from truing.errors import DataError
from truing.judging.comparer import Comparer


def profile_votes(
    votes: Votes,
    *,
    judges: Sequence[Comparer] = (),
    written: Mapping[str, Written] | None = None,
    ratings: Path | None = None,
    ties: Ties = "counted",
    draws: int = 200,
    seed: int = 0,
) -> Profile:
    """Score factors for the annotators of the data, and those that are added.

    Args:
        votes: of the data.
        judges: models as judges, asked about every pair in both orders.
        written: what writers wrote at levels of quality, by name.
        ratings: file with columns ``FACTOR_chosen`` and ``FACTOR_rejected``; factors are counted where it is left out.
        ties, draws, seed: see :func:`~truing.audit.judges.profile.profile`.

    Raises:
        TruingError: on anything the user can mend.
    """
    if ratings is not None and written:
        raise DataError(
            "what a writer wrote has no ratings in the file", where="--ratings, --generated", fix="drop one"
        )
    answered = votes.joined(*(votes.by(judge) for judge in judges))
    if ratings is not None:
        names, table = read_ratings(ratings, votes.ids, drawn=votes.drawn)
        differences = (table[..., 0] - table[..., 1])[votes.rows_of(answered)]
        everything = answered
    else:
        names = tuple(MEASURES)
        everything = answered.joined(*(own.votes(name) for name, own in (written or {}).items()))
        differences = compared_once(everything, counted_differences)
    return profile(
        differences,
        everything.signs,
        names,
        longer=compared_once(everything, lengths_compared)[:, 0],
        annotators=everything.judges,
        groups=everything.prompts,
        ties=ties,
        draws=draws,
        seed=seed,
    )


def counted_differences(prompts: Sequence[str], first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """Every measure of the first answer minus that of the second, shape ``[N, measures]``."""
    rows = [
        [measure.of(prompt, own) - measure.of(prompt, other) for measure in MEASURES.values()]
        for prompt, own, other in zip(prompts, first, second, strict=True)
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(MEASURES))
