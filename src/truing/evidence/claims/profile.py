"""Factor-level preferences (2410.06965): writers and judges whose tastes are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from truing.audit.judges.levels import level_pairs
from truing.audit.judges.profile import Profile
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals

Audit = Callable[..., Profile]

METHOD = "profile"
_SOURCE = "2410.06965; catalogue, profile: evidence"
_FACTORS = ("length", "facts", "novelty", "formality")
_PEOPLE = np.array([0.3, 1.5, 0.8, -0.5])


def _judged(seed: int, pairs: int, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    differences = rng.standard_normal((pairs, len(weights)))
    chance = 1 / (1 + np.exp(-differences @ weights))
    return differences, np.where(rng.random(pairs) < chance, 1.0, -1.0)


@claim(
    method=METHOD,
    statement="Six pairs and three factors by hand give 1/3, 2/3 and −1/2 with ties counted, and 1/2, 1 and −1 with "
    "ties dropped: largest error 0 within 1e-12.",
    source=f"{_SOURCE}: hand-computed table on 6 pairs",
)
def six_pairs_by_hand(audit: Audit, seed: int) -> Measurement:
    preferences = np.array([1, 1, 1, -1, -1, -1])
    differences = np.array([[5, 1, -2], [2, 3, 0], [0, 0, -1], [-1, -4, 0], [3, 0, 2], [0, -1, 0]])
    # Towards the preferred answer, by factor: + + 0 + − 0, + + 0 + 0 +, − 0 − 0 − 0.
    expected = {"counted": [2 / 6, 4 / 6, -3 / 6], "dropped": [2 / 4, 4 / 4, -3 / 3]}
    errors = []
    for ties, values in expected.items():
        (own,) = audit(differences, preferences, _FACTORS[:3], ties=ties, draws=1).annotators
        errors += [abs(score.value - value) for score, value in zip(own.tau, values, strict=True)]
    return equals(0.0, max(errors), 1e-12, "factor score", errors=errors)


@claim(
    method=METHOD,
    statement="A model that judges by facts as people do, and writes longer for higher quality, has a score of length "
    "above 0.9 as a writer and below 0.3 as a judge, and as a judge agrees with people on the order of factors by at "
    "least 0.5 more (Kendall).",
    source=f"{_SOURCE}: synthetic generator that inflates length while the evaluator weighs facts",
)
def writer_and_judge_differ(audit: Audit, seed: int) -> Measurement:
    differences, liked = _judged(seed, 4000, _PEOPLE)
    others, judged = _judged(seed + 1000, 4000, _PEOPLE)
    rng = np.random.default_rng(seed + 2000)
    levels = np.tile(np.arange(1, 6), 100)
    # Of what people like, the writer puts less in where it writes more.
    texts = rng.standard_normal((500, 4)) + levels[:, None] * np.array([5.0, -0.4, -0.2, 0.3])
    one, other = level_pairs(levels, np.repeat(np.arange(100), 5).astype(str))
    found = audit(
        np.concatenate([differences, others, texts[one] - texts[other]]),
        np.concatenate([liked, judged, np.ones(len(one))]),
        _FACTORS,
        annotators=["people"] * 4000 + ["judge"] * 4000 + ["writer"] * len(one),
        draws=1,
    )
    _, judge, writer = found.annotators
    gain = (
        found.agreement["people", "judge"]["kendall"].value - found.agreement["people", "writer"]["kendall"].value
    )
    slack = min(writer.tau[0].value - 0.9, 0.3 - judge.tau[0].value, gain - 0.5)
    return above(0.0, slack, "score", writer=writer.tau[0].value, judge=judge.tau[0].value, gain=gain)


@claim(
    method=METHOD,
    statement="A factor that only follows length has a score above 0.2, and of 0 given the length and in pairs of "
    "equal length, within 0.06.",
    source=f"{_SOURCE}: correlated factors; partial and length-matched scores",
)
def length_explains_its_followers(audit: Audit, seed: int) -> Measurement:
    rng = np.random.default_rng(seed)
    longer = rng.integers(-1, 2, 12000).astype(float)
    liked = np.where(rng.random(12000) < 1 / (1 + np.exp(-1.5 * longer)), 1.0, -1.0)
    follows = np.where(rng.random(12000) < 0.8, longer, rng.choice([-1.0, 1.0], 12000))
    (own,) = audit(follows[:, None], liked, ["follower"], longer=longer, draws=1).annotators
    raw, rest = own.tau[0].value, max(abs(own.partial[0].value), abs(own.matched[0].value))
    return above(0.0, min(raw - 0.2, 0.06 - rest), "score", raw=raw, given_length=rest)


@claim(
    method=METHOD,
    statement="Exchanging the answers of every other pair changes no score and no end of an interval: largest change 0 "
    "within 1e-12.",
    source="shared algebra of the catalogue: swap negates features and labels, weights unchanged",
)
def places_do_not_matter(audit: Audit, seed: int) -> Measurement:
    differences, liked = _judged(seed, 300, _PEOPLE)
    sign = np.where(np.arange(300) % 2 == 0, -1.0, 1.0)
    tables = []
    for turn in (np.ones(300), sign):
        (own,) = audit(
            differences * turn[:, None],
            liked * turn,
            _FACTORS,
            longer=np.sign(differences[:, 0]) * turn,
            draws=20,
            seed=seed,
        ).annotators
        tables.append([(score.value, score.low, score.high) for score in (*own.tau, *own.partial)])
    change = float(np.abs(np.array(tables[0]) - np.array(tables[1])).max())
    return equals(0.0, change, 1e-12, "score", table=tables[0])
