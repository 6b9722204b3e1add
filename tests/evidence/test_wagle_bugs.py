"""Claims about WAGLE fail on planted bugs."""

from __future__ import annotations

import math

import pytest

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.evidence import verify
from truing.unlearning.attribution import wagle_scores
from truing.unlearning.baselines import magnitude, random_scores


def no_retain_term(weights, forget, retain, gamma):
    """First order whatever gamma is."""
    return wagle_scores(weights, forget, retain, math.inf)


def plus(weights, forget, retain, gamma):
    """The retain correction with the wrong sign."""
    return wagle_scores(weights, forget, {name: -value for name, value in retain.items()}, gamma)


def swapped(weights, forget, retain, gamma):
    """The two gradients exchanged."""
    return wagle_scores(weights, retain, forget, gamma)


def inverted_gamma(weights, forget, retain, gamma):
    """A product with gamma in place of the quotient."""
    return wagle_scores(weights, forget, retain, 1 / min(gamma, 1e30))


def no_weight(weights, forget, retain, gamma):
    """The term θ·g_f is missing."""
    return {name: -retain[name] / gamma * forget[name] for name in weights}


def added(weights, forget, retain, gamma):
    """A sum in place of the product."""
    return {name: value - retain[name] / gamma + forget[name] for name, value in weights.items()}


def by_magnitude(weights, forget, retain, gamma):
    return magnitude(weights)


def at_random(weights, forget, retain, gamma):
    return random_scores(weights, seed=7)


BUGS = {
    "wagle/selects-the-forget-block": [no_retain_term, plus, swapped, no_weight, added, by_magnitude, at_random],
    "wagle/keeps-more-than-a-random-mask": [swapped, no_weight, added, by_magnitude],
    "wagle/first-order-limit": [swapped, inverted_gamma, no_weight, added, by_magnitude, at_random],
    "wagle/retain-minimum": [no_retain_term, plus, swapped, inverted_gamma, no_weight, added],
}


def test_every_claim_has_a_planted_bug():
    assert claims_of("wagle") == set(BUGS)


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug)


@pytest.mark.slow
def test_claims_hold_in_other_worlds():
    assert all(result.passed for result in verify("wagle", seeds=(1, 2)))
