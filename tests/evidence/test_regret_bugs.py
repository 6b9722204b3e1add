"""Claims about regret as what people compare fail on planted bugs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.control.regret import regret_preference


def partial_return_for_regret(world, pairs, features=None, **settings):
    return regret_preference(world, pairs, features, **{**settings, "statistic": "partial-return"})


def labels_exchanged(world, pairs, features=None, **settings):
    return regret_preference(world, replace(pairs, preferred=1 - pairs.preferred), features, **settings)


def short_sighted(world, pairs, features=None, **settings):
    """Nothing is worth anything after the next step."""
    return regret_preference(replace(world, gamma=0.0), pairs, features, **settings)


def labels_of_others(world, pairs, features=None, **settings):
    return regret_preference(world, replace(pairs, preferred=pairs.preferred.roll(1)), features, **settings)


def policy_of_the_opposite(world, pairs, features=None, **settings):
    found = regret_preference(world, pairs, features, **settings)
    worst = torch.nn.functional.one_hot((found.policy - found.rewards).argmin(1), world.actions).double()
    return replace(found, policy=1 - worst.clamp(max=1) if world.actions == 2 else worst.roll(1, dims=1))


def nothing_learned(world, pairs, features=None, **settings):
    return regret_preference(world, pairs, features, **{**settings, "steps": 1, "rate": 1e-9})


BUGS = {
    "regret-preference/chance-misleads-partial-returns": [
        labels_exchanged,
        short_sighted,
    ],
    "regret-preference/constants-do-not-show-in-partial-returns": [
        labels_exchanged,
        labels_of_others,
    ],
    "regret-preference/reaches-what-can-be-gained": [partial_return_for_regret, labels_exchanged],
    "regret-preference/predicts-new-comparisons": [nothing_learned],
    "regret-preference/learned-policies-have-no-regret": [policy_of_the_opposite, short_sighted],
}


def test_every_claim_has_a_planted_bug():
    assert claims_of("regret-preference") == set(BUGS)


@pytest.mark.slow
@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug)
