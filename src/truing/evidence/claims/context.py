"""Preferences in a context (2407.14916): reversals, contexts in new wordings, and the mixture over contexts."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import expit

from truing.data.rows import Row
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.rewards.evaluation.contexts import marginal_preference
from truing.worlds.criteria import EVERY, SEEN, UNSEEN, Render, WordReward, fit, rendered, rows

SOURCE = "2407.14916, sections 3 and 4; catalogue, context-aware-pm: attributes length, formality, colour"
WORLDS, PAIRS = 4, 200


def _accuracy(reward: WordReward, given: list[Row]) -> float:
    odds = reward.log_odds(given)
    return float(((odds > 0) + 0.5 * (odds == 0)).mean())


def _without(given: list[Row]) -> list[Row]:
    """The same rows without contexts."""
    return [{**row, "context": None} for row in given]


def _seeds(seed: int) -> range:
    return range(100 * seed, 100 * seed + WORLDS)


@claim(
    method="context-aware-pm",
    statement="With the context before the prompt more than 0.9 of new reversed pairs are put in order.",
    source=SOURCE,
)
def reads_the_context(make: Render, seed: int) -> Measurement:
    found = []
    for own in _seeds(seed):
        reward = fit(rendered(make, rows(PAIRS, own, wordings=EVERY)))
        found.append(_accuracy(reward, rendered(make, rows(PAIRS, own + 50, wordings=EVERY))))
    return above(0.9, min(found), "accuracy", values=found)


@claim(
    method="context-aware-pm",
    statement="Trained and asked without contexts it puts 0.5 of reversed pairs in order, within 0.03.",
    source=SOURCE,
)
def without_contexts_it_is_chance(make: Render, seed: int) -> Measurement:
    found = []
    for own in _seeds(seed):
        plain, other = (rendered(make, _without(rows(PAIRS, s, wordings=EVERY))) for s in (own, own + 50))
        found.append(_accuracy(fit(plain), other))
    return equals(0.5, float(np.mean(found)), 0.03, "accuracy", values=found)


@claim(
    method="context-aware-pm",
    statement="Attributes in wordings that were never seen with them in training: more than 0.75 of reversed pairs are "
    "put in order.",
    source=SOURCE,
)
def new_wordings(make: Render, seed: int) -> Measurement:
    found = []
    for own in _seeds(seed):
        reward = fit(rendered(make, rows(PAIRS, own, wordings=SEEN)))
        found.append(_accuracy(reward, rendered(make, rows(PAIRS, own + 50, wordings=UNSEEN))))
    return above(0.75, min(found), "accuracy", values=found)


@cache
def _drawn(seed: int) -> tuple[list[Row], list[bool], tuple[float, float]]:
    """A pair under two opposite contexts that 0.7 and 0.3 of the readers have in mind, each right with 0.8."""
    draw, shares = np.random.default_rng(seed), (0.7, 0.3)
    plus, minus = rows(1, seed, wordings=EVERY[:1])
    given, first = [], []
    for _ in range(6000):
        own, other = (plus, minus) if draw.random() < shares[0] else (minus, plus)
        wanted, unwanted = own["chosen"], own["rejected"]
        if draw.random() < 0.2:
            wanted, unwanted = unwanted, wanted
        given.append({**own, "chosen": wanted, "rejected": unwanted})
        first.append(wanted == plus["chosen"])
        assert other is not own
    return given, first, shares


@claim(
    method="context-aware-pm",
    statement="Over readers of whom 0.7 have one context in mind and 0.3 its opposite, the sum over contexts of "
    "p(z)·σ(gap under z) is the share that prefers the first answer, 0.7·0.8 + 0.3·0.2 = 0.62, within 0.02.",
    source="2407.14916, decomposition of the preference over contexts",
)
def the_sum_over_contexts_is_the_mixture(make: Render, seed: int) -> Measurement:
    given, first, shares = _drawn(seed)
    reward = fit(rendered(make, given))
    plus, minus = rows(1, seed, wordings=EVERY[:1])
    asked = [{**plus, "context": z["context"]} for z in (plus, minus)]
    odds = reward.log_odds(rendered(make, asked))
    found = float(marginal_preference(odds[None, :], shares)[0])
    return equals(
        0.62, found, 0.02, "probability", observed=float(np.mean(first)), under_each=expit(odds).tolist()
    )


@claim(
    method="context-aware-pm",
    statement="Asked under one of these contexts alone it gives that context's 0.8, within 0.04, where a model of the "
    "mixture without contexts gives 0.62.",
    source="2407.14916: a context-free model of the mixture cannot answer for a context",
)
def answers_for_one_context(make: Render, seed: int) -> Measurement:
    given, _, _ = _drawn(seed)
    plus, _ = rows(1, seed, wordings=EVERY[:1])
    own = float(expit(fit(rendered(make, given)).log_odds(rendered(make, [plus])))[0])
    without = float(expit(fit(rendered(make, _without(given))).log_odds([plus]))[0])
    return equals(0.8, own, 0.04, "probability", without_context=without)
