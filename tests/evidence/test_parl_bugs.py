"""Every claim about bilevel reward design fails on each of the bugs that it is paired with here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.control.controls import parl


def changed(change):
    def bug(*levels, **settings):
        return change(parl(*levels, **settings))

    bug.__name__ = change.__name__
    return bug


@changed
def wrong_sign(found):
    return replace(found, implicit=-found.implicit)


@changed
def implicit_left_out(found):
    return replace(found, implicit=0 * found.implicit)


@changed
def implicit_twice(found):
    return replace(found, implicit=2 * found.implicit)


@changed
def direct_left_out(found):
    return replace(found, direct=0 * found.direct)


@changed
def whole_as_direct(found):
    return replace(found, direct=found.whole, implicit=0 * found.implicit)


def curvature_ignored(upper, lower, reward, policy, **settings):
    """The identity in place of the inverse of the curvature."""
    return parl(upper, lower, reward, policy, **{**settings, "iterations": 1, "damping": 1e3})


def few_iterations(upper, lower, reward, policy, **settings):
    return parl(upper, lower, reward, policy, **{**settings, "iterations": 1})


def slightly_damped(upper, lower, reward, policy, **settings):
    return parl(upper, lower, reward, policy, **{**settings, "damping": 1e-2})


BUGS = {
    "parl/equals-finite-differences": [
        wrong_sign, implicit_left_out, implicit_twice, direct_left_out, curvature_ignored, few_iterations,
        slightly_damped,
    ],
    "parl/the-direct-part-is-not-enough": [whole_as_direct],
    "parl/higher-after-equal-steps": [wrong_sign, implicit_left_out],
    "parl/fewer-queries-to-a-threshold": [wrong_sign, implicit_left_out],
    "parl/samples-estimate-it": [wrong_sign, direct_left_out],
}  # fmt: skip


def test_every_claim_has_a_planted_bug():
    assert claims_of("parl") == set(BUGS)


@pytest.mark.slow
@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug)
