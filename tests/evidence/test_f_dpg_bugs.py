"""Bugs planted in f-DPG make its claims fail."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from truing.evidence.claim import CLAIMS
from truing.objectives import METHODS
from truing.objectives.algebra.policy_gradient import Distributional


class WrongSign(Distributional):
    def losses(self, scores, batch, state):
        found = super().losses(scores, batch, state)
        return found._replace(values=-found.values)


class WithoutWeights(Distributional):
    """Samples of an old policy taken for the policy's own."""

    def pseudo_rewards(self, scores, batch):
        gain, weight = super().pseudo_rewards(scores, batch)
        return gain, torch.ones_like(weight)


class IgnoredBaseline(Distributional):
    """A baseline that is accepted and not subtracted."""

    def pseudo_rewards(self, scores, batch):
        return Distributional.pseudo_rewards(replace(self, baseline=False), scores, batch)


class ScaledBaseline(Distributional):
    """A baseline that multiplies instead of being subtracted."""

    def pseudo_rewards(self, scores, batch):
        gain, weight = Distributional.pseudo_rewards(replace(self, baseline=False), scores, batch)
        return (gain * 0.5 if self.baseline else gain), weight


class HalvedTemperature(Distributional):
    def pseudo_rewards(self, scores, batch):
        return Distributional.pseudo_rewards(replace(self, beta=self.beta / 2), scores, batch)


class ReverseOnly(Distributional):
    """Whatever divergence is asked for, reverse KL is used."""

    def pseudo_rewards(self, scores, batch):
        return Distributional.pseudo_rewards(replace(self, divergence="reverse-kl"), scores, batch)


def factory(kind: type[Distributional]):
    def make(**values):
        objective = METHODS.get("f-dpg")(**values)
        ((coefficient, term),) = objective.terms
        return replace(objective, terms=((coefficient, kind(**vars(term))),))

    return make


@pytest.mark.parametrize(
    ("claim", "bug"),
    [
        ("every-divergence-reaches-the-target", WrongSign),
        ("every-divergence-reaches-the-target", WithoutWeights),
        ("every-divergence-reaches-the-target", HalvedTemperature),
        ("forward-kl-covers-and-reverse-kl-seeks", ReverseOnly),
        ("reverse-kl-is-reinforce", WrongSign),
        ("reverse-kl-is-reinforce", HalvedTemperature),
        ("the-baseline-lowers-the-variance", IgnoredBaseline),
        ("the-baseline-lowers-the-variance", ScaledBaseline),
    ],
)
def test_a_bug_makes_the_claim_fail(claim: str, bug: type[Distributional]) -> None:
    found = CLAIMS.get(f"f-dpg/{claim}")
    assert not found.measure(factory=factory(bug)).passed
