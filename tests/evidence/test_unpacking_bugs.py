"""Every claim about effects of single choices fails on each of the bugs that it is paired with here."""

from __future__ import annotations

from dataclasses import replace

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.arenas.effects import effects

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
    assert claims_of(NAME) == set(BUGS)


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug)
