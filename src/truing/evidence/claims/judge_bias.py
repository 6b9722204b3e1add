"""Biases of judges (2504.09946): simulated judges whose biases are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from truing.audit.judges.bias_effects import Biases
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals

Audit = Callable[..., Biases]

METHOD = "judge-bias-bench"
_SOURCE = "2504.09946; catalogue, judge-bias-bench: evidence"
_BIASES = {
    ("bandwagon", "wrong"): 1.5,
    ("authority", "wrong"): 0.6,
    ("distraction", "wrong"): 0.0,
    ("length", "wrong"): -0.8,
}
_PLACE = 0.7
_NODES, _MASS = np.polynomial.hermite_e.hermegauss(41)


def _chance(skill: np.ndarray, cue: float, place: float = _PLACE) -> np.ndarray:
    """P(right) with the right answer first and second, of judges with log-odds skill ± place − cue; ``[N, 2]``."""
    odds = skill[:, None] + place * np.array([1.0, -1.0]) - cue
    found: np.ndarray = 1 / (1 + np.exp(-odds))
    return found


def _true_shift(cue: float) -> float:
    """Mean over pairs whose skill is normal with mean 1 and deviation 1, by quadrature."""
    mass = _MASS / _MASS.sum()
    gap = (_chance(1 + _NODES, 0.0) - _chance(1 + _NODES, cue)).mean(1)
    return float(mass @ gap)


def _verdicts(rng: np.random.Generator, chance: np.ndarray) -> np.ndarray:
    return (rng.random(chance.shape) < chance).astype(float)


def _audited(audit: Audit, seed: int, pairs: int) -> Biases:
    rng = np.random.default_rng(seed)
    skill = 1 + rng.standard_normal(pairs)
    return audit(
        _verdicts(rng, _chance(skill, 0.0)),
        {key: _verdicts(rng, _chance(skill, cue)) for key, cue in _BIASES.items()},
        {key: _verdicts(rng, _chance(skill, 0.0)) for key in _BIASES},
    )


@claim(
    method=METHOD,
    statement="Intervals of the net shifts of four planted biases, 80 pairs each, contain the true shift 95 times in "
    "100: share 0.95, within 0.03 (120 judges, 480 intervals, Monte-Carlo error 0.01).",
    source=f"{_SOURCE}: simulated judge with logit = skill·gold + bias·cue",
)
def intervals_cover(audit: Audit, seed: int) -> Measurement:
    hits = []
    for number in range(120):
        found = _audited(audit, 1000 * seed + number, 80)
        hits.append(
            float(
                np.mean(
                    [
                        net.low <= _true_shift(cue) <= net.high
                        for (name, toward), cue in _BIASES.items()
                        for net in [found.effect(name, toward).net]
                    ]
                )
            )
        )
    return equals(0.95, float(np.mean(hits)), 0.03, "share of intervals", error=float(np.std(hits) / np.sqrt(120)))


@claim(
    method=METHOD,
    statement="With 400 pairs the net shift has the sign of each planted bias, share 1 of 60 (20 judges).",
    source=f"{_SOURCE}: directed shift > 0 iff b > 0",
)
def signs_are_right(audit: Audit, seed: int) -> Measurement:
    right = [
        np.sign(found.effect(*key).net.value) == np.sign(cue)
        for number in range(20)
        for found in [_audited(audit, 1000 * seed + number, 400)]
        for key, cue in _BIASES.items()
        if cue
    ]
    return equals(1.0, float(np.mean(right)), 0.0, "share", n=len(right))


@claim(
    method=METHOD,
    statement="Four times as many pairs halve the error of the shifts: from 50 to 200 pairs its root mean square falls "
    "to 0.5 of what it was, within 0.12 (40 judges, 4 biases).",
    source="recovery error falls as 1/√n",
)
def error_halves(audit: Audit, seed: int) -> Measurement:
    errors = {
        pairs: [
            (found.effect(*key).shift.value - _true_shift(cue)) ** 2
            for number in range(40)
            for found in [_audited(audit, 1000 * seed + number, pairs)]
            for key, cue in _BIASES.items()
        ]
        for pairs in (50, 200)
    }
    ratio = float(np.sqrt(np.mean(errors[200]) / np.mean(errors[50])))
    return equals(0.5, ratio, 0.12, "ratio")


@claim(
    method=METHOD,
    statement="A judge without any bias is charged with one of four cues or with its place in fewer than 10 of 100 "
    "cases after Holm's correction (150 judges, 60 pairs).",
    source=f"{_SOURCE}: no-op control shift within its interval of 0; Holm's bound is 5 of 100",
)
def innocent_judges_are_acquitted(audit: Audit, seed: int) -> Measurement:
    charged = []
    for number in range(150):
        rng = np.random.default_rng(1000 * seed + number)
        chance = _chance(1 + rng.standard_normal(60), 0.0, place=0.0)
        found = audit(
            _verdicts(rng, chance),
            {key: _verdicts(rng, chance) for key in _BIASES},
            {key: _verdicts(rng, chance) for key in _BIASES},
        )
        charged.append(float(any(own.found for own in found.effects)))
    return below(0.10, charged, "share of judges")


@claim(
    method=METHOD,
    statement="In expectation a mitigation that halves a small bias of 0.2 nats halves the shift: ratio 0.5, within "
    "0.01.",
    source=f"{_SOURCE}: mitigation that scales b to half halves the shift on small b",
)
def half_the_bias_is_half_the_shift(audit: Audit, seed: int) -> Measurement:
    skill = 1 + np.random.default_rng(seed).standard_normal(300)
    shifts = [
        audit(_chance(skill, 0.0), {("authority", "wrong"): _chance(skill, cue)}).effect("authority").shift.value
        for cue in (0.1, 0.2)
    ]
    return equals(0.5, shifts[0] / shifts[1], 0.01, "ratio", shifts=shifts)


@claim(
    method=METHOD,
    statement="A judge that likes a place and no cue has a shift of 0 for every cue toward wrong or right answers, "
    "within 1e-12, and a positive one for position.",
    source=f"{_SOURCE}: random position of the target must be balanced with injection",
)
def places_do_not_leak_into_cues(audit: Audit, seed: int) -> Measurement:
    base = _chance(1 + np.random.default_rng(seed).standard_normal(100), 0.0, place=2.0)
    found = audit(base, {("authority", "wrong"): base, ("authority", "right"): base})
    leaks = max(abs(found.effect("authority", toward).shift.value) for toward in ("wrong", "right"))
    place = found.effect("position", "first").shift.value
    return above(0.0, min(1e-12 - leaks, place - 0.1), "share", leak=leaks, position=place)
