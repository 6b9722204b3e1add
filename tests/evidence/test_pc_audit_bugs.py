"""Claims about gaps between groups fail on planted bugs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.evidence.bugs import claims_of, must_fail, must_hold, planted
from truing.diagnostics.audits import pc_audit
from truing.prompting.prompts import pc_defense
from truing.prompting.transform import Identity
from truing.statistics import Estimate


def _changed(change):
    def made(outcomes, axes, baseline=None):
        found = pc_audit(outcomes, axes, baseline)
        return replace(
            found, gaps=tuple(change(gap, outcomes, axis) for gap, axis in zip(found.gaps, axes, strict=True))
        )

    return made


def _one(bug):
    made = _changed(bug)
    made.__name__ = bug.__name__
    return made


@_one
def exchanged_sides(gap, outcomes, axis):
    value = gap.gap
    return replace(gap, gap=Estimate(-value.value, -value.high, -value.low, value.n))


@_one
def two_samples(gap, outcomes, axis):
    own, other = (np.asarray(outcomes[words[0]]) for words in (axis.privileged, axis.marginalised))
    half = 1.976 * np.sqrt((own.var(ddof=1) + other.var(ddof=1)) / len(own))
    return replace(gap, gap=Estimate(gap.gap.value, gap.gap.value - half, gap.gap.value + half, len(own)))


@_one
def answers_count_as_requests(gap, outcomes, axis):
    value, half = gap.gap.value, (gap.gap.high - gap.gap.low) / 4
    return replace(gap, gap=Estimate(value, value - half, value + half, gap.gap.n))


@_one
def not_corrected(gap, outcomes, axis):
    return replace(gap, adjusted=gap.p_value)


def no_defence():
    return Identity()


def at_the_end():
    defence = pc_defense()

    class Last:
        name = "last"

        def __call__(self, shown):
            return [replace(one, prompt=[*one.prompt[1:], one.prompt[0]]) for one in defence(shown)]

    return Last()


BUGS = {
    "pc-audit/a-planted-gap-lies-in-its-interval": [exchanged_sides, answers_count_as_requests],
    "pc-audit/many-axes-raise-no-more-alarms": [not_corrected],
    "pc-audit/no-gap-where-there-is-none": [answers_count_as_requests],
    "pc-audit/pairing-narrows-the-interval": [two_samples],
    "pc-defense/equal-logits-leave-no-gap": [no_defence, at_the_end],
}


def test_every_claim_has_a_bug_and_holds() -> None:
    assert claims_of("pc-audit", "pc-defense") == set(BUGS)
    for name in BUGS:
        must_hold(name)


@planted(BUGS)
def test_a_claim_fails_on_the_bug(name, bug) -> None:
    must_fail(name, bug)
