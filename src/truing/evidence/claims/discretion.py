"""Discretion of annotators (2502.10441): what simulated annotators do is what the metrics say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from truing.audit.judges.discretion import Discretion
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals

Audit = Callable[..., Discretion]

METHOD = "discretion"
_SOURCE = "2502.10441; catalogue, discretion: evidence"
_WEIGHTS = np.array([2.0, 1.2, 0.4, -0.4, -1.2])
_NAMES = [f"principle {number}" for number in range(len(_WEIGHTS))]


def _simulated(seed: int, pairs: int, weights: np.ndarray = _WEIGHTS) -> tuple[np.ndarray, np.ndarray]:
    """Votes at random, and an annotator who chooses with log-odds of the weighted votes."""
    rng = np.random.default_rng(seed)
    votes = rng.integers(-1, 2, (pairs, len(weights))).astype(float)
    choices = np.where(rng.random(pairs) < 1 / (1 + np.exp(-votes @ weights)), 1.0, -1.0)
    return votes, choices


@claim(
    method=METHOD,
    statement="An annotator who decides every fifth consensus pair against the consensus has an arbitrariness of 0.2 "
    "exactly, whatever is done with conflicts.",
    source=f"{_SOURCE}: DA equals e on consensus pairs",
)
def arbitrariness_is_the_noise(audit: Audit, seed: int) -> Measurement:
    votes, choices = _simulated(seed, 3000)
    ahead, behind = np.asarray((votes > 0).any(1)), np.asarray((votes < 0).any(1))
    agreed = np.flatnonzero(ahead ^ behind)
    agreed = agreed[: len(agreed) // 5 * 5]
    rows = np.concatenate([agreed, np.flatnonzero(ahead & behind)])
    choices[agreed] = np.where(ahead[agreed], 1.0, -1.0)
    choices[agreed[::5]] *= -1
    (own,) = audit(votes[rows], choices[rows], _NAMES, draws=1).annotators
    return equals(0.2, own.arbitrariness.value, 1e-12, "share", n=own.arbitrariness.n)


@claim(
    method=METHOD,
    statement="In every conflict one side prevails: PS(i, j) + PS(j, i) = 1 for all 10 pairs of principles, and "
    "consensus, conflict and indifference add up to 1, largest error 0 within 1e-12.",
    source=f"{_SOURCE}: PS(i,j) + PS(j,i) = 1 exactly",
)
def supremacies_add_up(audit: Audit, seed: int) -> Measurement:
    (own,) = audit(*_simulated(seed, 500), _NAMES, draws=1).annotators
    errors = [abs(own.supremacy(i, j).value + own.supremacy(j, i).value - 1) for i in range(5) for j in range(i)]
    room = own.room
    errors.append(abs(room.consensus.value + room.conflict.value + room.indifference.value - 1))
    errors.append(abs(room.required.value - room.conflict.value - room.indifference.value))
    return equals(0.0, max(errors), 1e-12, "share")


@claim(
    method=METHOD,
    statement="Where one principle prevails in three of four conflicts with another, their priorities differ by log 3 "
    "= 1.099 nats, within 0.001.",
    source=f"{_SOURCE}: Bradley-Terry on the wins of PS",
)
def priorities_are_log_odds(audit: Audit, seed: int) -> Measurement:
    votes = np.tile([1.0, -1.0], (4000, 1))
    choices = np.where(np.random.default_rng(seed).permutation(4000) % 4 == 0, -1.0, 1.0)
    (own,) = audit(votes, choices, _NAMES[:2], draws=1).annotators
    gap = own.priorities[0].value - own.priorities[1].value
    return equals(float(np.log(3)), gap, 1e-3, "nats")


@claim(
    method=METHOD,
    statement="Two halves of one annotator's choices order the principles alike, distance below 0.11, and an annotator "
    "with reversed priorities orders them in reverse, distance above 0.89 (5 principles, 4,000 pairs each).",
    source=f"{_SOURCE}: DD to itself on disjoint halves near 0, to a reversed-priority annotator near 1",
)
def discrepancy_tells_priorities_apart(audit: Audit, seed: int) -> Measurement:
    tables = [
        _simulated(3 * seed + number, 4000, sign * (_WEIGHTS - 0.4)) for number, sign in enumerate((1, 1, -1))
    ]
    found = audit(
        np.concatenate([votes for votes, _ in tables]),
        np.concatenate([choices for _, choices in tables]),
        _NAMES,
        annotators=[name for name in ("half", "other half", "reversed") for _ in range(4000)],
        draws=1,
    ).discrepancy
    same = found["half", "other half"].value
    other = found["half", "reversed"].value
    return above(0.0, min(0.11 - same, other - 0.89), "distance", same=same, reversed=other)


@claim(
    method=METHOD,
    statement="Exchanging the answers of every other pair, with all votes and the choice, changes nothing: largest "
    "change of a priority 0.",
    source="shared algebra of the catalogue: swap negates features and labels, weights unchanged",
)
def places_do_not_matter(audit: Audit, seed: int) -> Measurement:
    votes, choices = _simulated(seed, 400)
    sign = np.where(np.arange(400) % 2 == 0, -1.0, 1.0)
    ends = []
    for turn in (np.ones(400), sign):
        (own,) = audit(votes * turn[:, None], choices * turn, _NAMES, draws=20, seed=seed).annotators
        ends.append([(w.value, w.low, w.high) for w in (own.arbitrariness, *own.priorities)])
    change = float(np.abs(np.array(ends[0]) - np.array(ends[1])).max())
    return equals(0.0, change, 0.0, "nats", ends=ends[0])
