"""Judges of their own answers (2410.21819): simulated judges that favour themselves by a known amount."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

from truing.audit.judges.self_preference import SelfPreference
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, equals

Audit = Callable[..., SelfPreference]

METHOD = "self-preference"
_NODES, _MASS = np.polynomial.hermite_e.hermegauss(41)
_BETTER = 0.5
"""Nats by which own answers are better on average."""


def _chance(better: np.ndarray, bias: float) -> np.ndarray:
    """P(own answer wins) with a judge whose log-odds are quality plus bias, nats."""
    found: np.ndarray = 1 / (1 + np.exp(-better - bias))
    return found


def _true_difference(bias: float) -> float:
    """Over pairs whose quality gap is normal with mean 0.5 and deviation 1, by quadrature."""
    mass = _MASS / _MASS.sum()
    gaps = _BETTER + _NODES
    return float(mass @ (_chance(gaps, bias) - _chance(gaps, 0.0)))


def _drawn(rng: np.random.Generator, bias: float, pairs: int) -> tuple[np.ndarray, np.ndarray]:
    """Verdicts of a judge and of a reference on the same pairs, 1 where the own answer wins."""
    gaps = _BETTER + rng.standard_normal(pairs)
    return tuple((rng.random(pairs) < _chance(gaps, own)).astype(float) for own in (bias, 0.0))  # type: ignore[return-value]


@claim(
    method=METHOD,
    statement="A judge that adds 0.8 nats to its own answers, 200 pairs each with a reference as sure as itself, has "
    "an interval of the difference that contains the true one, 0.146, 95 times in 100: share 0.95, within 0.035 (200 "
    "judges).",
    source="2410.21819; planted bias in a world of known quality gaps",
)
def intervals_cover(audit: Audit, seed: int) -> Measurement:
    rng, true = np.random.default_rng(seed), _true_difference(0.8)
    hits = [own.low <= true <= own.high for _ in range(200) for own in [audit(*_drawn(rng, 0.8, 200)).difference]]
    return equals(0.95, float(np.mean(hits)), 0.035, "share of intervals", true=true)


@claim(
    method=METHOD,
    statement="In expectation the difference of a judge that favours itself by 0.8 nats is E σ(q + 0.8) − E σ(q) = "
    "0.1456, within 0.0005, although its own answers are better and win more often than not with anybody.",
    source="2410.21819: preference beyond that of people",
)
def better_answers_are_no_bias(audit: Audit, seed: int) -> Measurement:
    gaps = _BETTER + ndtri((np.arange(2000) + 0.5) / 2000)
    found = audit(_chance(gaps, 0.8), _chance(gaps, 0.0))
    return equals(0.1456, found.difference.value, 0.0005, "difference", reference=found.reference.value)


@claim(
    method=METHOD,
    statement="The share of fair judges that are charged with self-preference is 0.05, within 0.04, although their own "
    "answers are better (200 judges, 200 pairs).",
    source="2410.21819; level of the test",
)
def fair_judges_are_acquitted(audit: Audit, seed: int) -> Measurement:
    rng = np.random.default_rng(seed)
    charged = [float(audit(*_drawn(rng, 0.0, 200)).found) for _ in range(200)]
    return equals(0.05, float(np.mean(charged)), 0.04, "share of judges")


@claim(
    method=METHOD,
    statement="Beside a reference that knows, a judge that errs on one pair in five whoever wrote the answers has a "
    "gap of 0, within 1e-12, and one that always says its own answer has a gap of 1.",
    source="2410.21819: equal opportunity, P(judge: own | ref: own) − P(judge: other | ref: other)",
)
def gap_is_equal_opportunity(audit: Audit, seed: int) -> Measurement:
    known = np.array([1.0] * 30 + [0.0] * 20)
    errs = np.where(np.arange(50) % 5 == 0, 1 - known, known)
    fair, vain = audit(errs, known).gap.value, audit(np.ones(50), known).gap.value
    return equals(0.0, abs(fair) + abs(vain - 1), 1e-12, "gap", fair=fair, vain=vain)
