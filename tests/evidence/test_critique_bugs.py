"""Claims about critique-first rewards fail on planted bugs."""

from __future__ import annotations

from dataclasses import dataclass

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.rewards.judges.critique import CritiqueScorer
from truing.rewards.methods import REWARDS


def changed(kind):
    def bug(make):
        return lambda **settings: kind(**vars(make(**settings)))

    bug.__name__ = kind.__name__
    return bug


@dataclass(frozen=True)
class CritiqueIgnored(CritiqueScorer):
    def __call__(self, prompts, completions):
        return self.scorer(prompts, completions)


@dataclass(frozen=True)
class CritiqueOfAnother(CritiqueScorer):
    def critiques(self, prompts, completions):
        return [[*own[1:], own[0]] for own in super().critiques(prompts, completions)]


@dataclass(frozen=True)
class AlwaysTheFirst(CritiqueScorer):
    def critiques(self, prompts, completions):
        return super().critiques(prompts, completions)[:1] * self.samples


@dataclass(frozen=True)
class SameTurn(CritiqueScorer):
    def critiques(self, prompts, completions):
        return [self.critic(prompts, completions, 0) for _ in range(self.samples)]


@dataclass(frozen=True)
class Negated(CritiqueScorer):
    def __call__(self, prompts, completions):
        found = super().__call__(prompts, completions)
        return found.with_values(-found.values)


BUGS = {
    "critique-reward/reads-what-it-cannot-count": [CritiqueIgnored, CritiqueOfAnother, Negated],
    "critique-reward/wrong-critiques-mislead": [CritiqueIgnored],
    "critique-reward/several-critiques-are-better-than-one": [AlwaysTheFirst, SameTurn, CritiqueIgnored],
    "critique-reward/one-critique-is-one-score": [CritiqueIgnored, CritiqueOfAnother, Negated],
}


def test_every_claim_has_a_planted_bug():
    assert claims_of("critique-reward") == set(BUGS)


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug, changed(bug)(REWARDS.get("critique-reward")))
