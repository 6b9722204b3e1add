"""Dissection of real data: who voted, what is known of the answers, and the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from truing.audit.judges.annotation import Rater, read_ratings, write_ratings
from truing.audit.judges.comparing import compared_once
from truing.audit.judges.dissection import preference_dissection
from truing.audit.judges.properties import COUNTED, compared, counted_features, lengths_compared
from truing.audit.judges.votes import Votes
from truing.audit.judges.weights import Dissection, How
from truing.errors import DataError
from truing.judging.comparer import Comparer


@dataclass(frozen=True)
class Settings:
    """How the weights are fitted; see :func:`~truing.audit.judges.dissection.preference_dissection`."""

    how: How = "map"
    by_scenario: bool = False
    scale: float = 0.1
    folds: int = 10
    draws: int = 100
    least: int = 10
    seed: int = 0


def dissect(
    votes: Votes,
    judges: Sequence[Comparer] = (),
    *,
    rater: Rater | None = None,
    ratings: Path | None = None,
    keep_ratings: Path | None = None,
    settings: Settings | None = None,
) -> Dissection:
    """Explain the data's own preferences, and those of further judges on the same pairs.

    Args:
        votes: the data's.
        judges: asked about every pair, in both orders.
        rater: rates the answers; where neither it nor ``ratings`` is given, 13 properties are counted.
        ratings: file with ratings.
        keep_ratings: where to write what the rater says, so that it need not be asked again.
        settings: of the fit.

    Raises:
        TruingError: on anything the user can mend.
    """
    given = settings or Settings()
    if rater is not None and ratings is not None:
        raise DataError("ratings come from a file or from a model", where="--ratings, --rate-with", fix="drop one")
    if keep_ratings is not None and rater is None:
        raise DataError("no model rates, so there is nothing to keep", where="--keep-ratings")
    names, features = _features(votes, rater, ratings, keep_ratings)
    joined = votes.joined(*(votes.by(judge) for judge in judges))
    return preference_dissection(
        features[votes.rows_of(joined)],
        joined.signs,
        names,
        judges=joined.judges,
        scenarios=joined.scenarios if given.by_scenario else None,
        groups=joined.prompts,
        how=given.how,
        scale=given.scale,
        folds=given.folds,
        draws=given.draws,
        least=given.least,
        seed=given.seed,
    )


def _features(
    votes: Votes, rater: Rater | None, ratings: Path | None, keep: Path | None
) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and comparisons; the length is counted in any case."""
    if ratings is None and rater is None:
        return COUNTED, compared_once(votes, counted_features)
    if ratings is not None:
        names, table = read_ratings(ratings, votes.ids, drawn=votes.drawn)
    else:
        assert rater is not None
        names, table = tuple(rater.properties), rater(votes.prompts, votes.first, votes.second)
    if keep is not None:
        write_ratings(keep, votes.ids, names, table)
    own = compared(table)
    if "lengthy" in names:
        return names, own
    lengths = compared_once(votes, lengths_compared)
    return (*names, "lengthy"), np.concatenate([own, lengths], axis=1)
