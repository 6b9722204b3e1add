"""Every claim about effects of single choices fails on each of the bugs that it is paired with here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from truing.arenas.effects import effects
from truing.evidence import CLAIMS, verify

NAME = "unpacking-dpo-ppo"


def wrong_sign(table):
    return [replace(effect, change=-effect.change) for effect in effects(table)]


def smallest_first(table):
    return effects(table)[::-1]


def as_written(table):
    found = {effect.aspect: effect for effect in effects(table)}
    return [found[name] for name in table]


def sums_over_seeds(table):
    return [
        replace(effect, change=effect.change * len(next(iter(table[effect.aspect].values()))))
        for effect in effects(table)
    ]


def no_difference(table):
    return [replace(effect, change=0.0) for effect in effects(table)]


BUGS = {
    f"{NAME}/data-before-algorithm-before-reward-before-prompts": [wrong_sign, smallest_first, as_written],
    f"{NAME}/the-algorithm-matters-off-the-data": [wrong_sign, no_difference],
    f"{NAME}/the-algorithm-hardly-matters-on-the-data": [sums_over_seeds],
}


def test_every_claim_has_a_planted_bug():
    assert {entry.name for entry in CLAIMS if entry.method == NAME} == set(BUGS)


@pytest.mark.parametrize("name", BUGS)
def test_claim_holds(name):
    (result,) = verify(name)
    assert result.passed, f"measured {result.measured_text}"


@pytest.mark.parametrize(
    ("name", "bug"),
    [pytest.param(name, bug, id=f"{name}-{bug.__name__}") for name, bugs in BUGS.items() for bug in bugs],
)
def test_claim_fails_on_the_bug(name, bug):
    (result,) = verify(name, factory=bug)
    assert not result.passed, f"{name} holds on {bug.__name__}: measured {result.measured_text}"
