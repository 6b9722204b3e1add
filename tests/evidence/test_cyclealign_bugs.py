"""Every claim about cyclic distillation fails on each of the bugs that it is paired with here."""

from __future__ import annotations

import pytest

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.evidence.claims import cyclealign as claims
from truing.objectives import METHODS
from truing.training.online import agreement

CYCLEALIGN = METHODS.get("cyclealign")


def ordered_by(change):
    """A bug in the order that is agreed on."""

    def plant(patch):
        right = agreement.agreed_order
        patch.setattr(agreement, "agreed_order", lambda first, second: change(right, first, second))
        return CYCLEALIGN

    plant.__name__ = change.__name__
    return plant


@ordered_by
def upside_down(right, first, second):
    return right(first, second)[::-1]


@ordered_by
def students_own(right, first, second):
    return list(second)


@ordered_by
def judges_own(right, first, second):
    return list(first)


@ordered_by
def against_each_other(right, first, second):
    return right(first, second[::-1])


def learned_backwards(patch):
    return lambda **settings: -1.0 * CYCLEALIGN(**settings)


def nothing_shown(patch):
    patch.setattr(claims, "longest", lambda orders, rng: None)
    return CYCLEALIGN


BUGS = {
    "cyclealign/the-judge-improves": [upside_down, against_each_other, nothing_shown],
    "cyclealign/cycles-beat-one-way": [upside_down, learned_backwards],
    "cyclealign/random-examples-teach-less": [upside_down, nothing_shown],
    "cyclealign/agreed-pairs-are-right-more-often": [judges_own, students_own, against_each_other],
}


def test_every_claim_has_a_planted_bug():
    assert claims_of("cyclealign") == set(BUGS)


@pytest.mark.slow
@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug, monkeypatch):
    must_fail(name, bug, bug(monkeypatch))
