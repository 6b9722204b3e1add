"""Claims about critiques before scores fail on planted bugs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.objectives import METHODS, Objective, bradley_terry
from truing.objectives.algebra.critiques import CritiqueLikelihood
from truing.rewards.judges.critique import CritiqueScorer
from truing.rewards.methods import REWARDS


def changed(kind):
    def bug(make):
        return lambda **settings: kind(**vars(make(**settings)))

    bug.__name__ = kind.__name__
    return bug


@dataclass(frozen=True)
class NothingWritten(CritiqueScorer):
    """Scores are read before the critique."""

    def __call__(self, prompts, completions):
        found = super().__call__(prompts, completions)
        bare = self.model.scores(prompts, completions)[:, None] if hasattr(self.model, "scores") else found.values
        return found.with_values(bare)


@dataclass(frozen=True)
class CritiqueOfAnother(CritiqueScorer):
    def each(self, prompts, completions):
        other = [completions[-1], *completions[:-1]]
        return super().each(prompts, other)


@dataclass(frozen=True)
class AlwaysTheFirst(CritiqueScorer):
    def each(self, prompts, completions):
        return super().each(prompts, completions)[:1] * self.samples


@dataclass(frozen=True)
class SameTurn(CritiqueScorer):
    def each(self, prompts, completions):
        return [self.model.at(0)(prompts, completions) for _ in range(self.samples)]


@dataclass(frozen=True)
class Negated(CritiqueScorer):
    def __call__(self, prompts, completions):
        found = super().__call__(prompts, completions)
        return found.with_values(-found.values)


REWARD_BUGS = {
    "critique-reward/wrong-critiques-mislead": [Negated],
    "critique-reward/several-critiques-are-better-than-one": [AlwaysTheFirst, SameTurn, NothingWritten],
    "critique-reward/one-critique-is-one-score": [NothingWritten, CritiqueOfAnother, Negated],
}


@dataclass(frozen=True)
class AnswerToo(CritiqueLikelihood):
    """Weighs by the whole answer's length where it is to be divided by the critique's."""

    def denominator(self, batch, lengths):
        return super().denominator(batch, lengths) * 2


@dataclass(frozen=True)
class ChosenOnly(CritiqueLikelihood):
    """Learns critiques of chosen answers alone."""

    def _nll(self, scores, batch):
        found = super()._nll(scores, batch)
        kept = torch.zeros_like(found)
        return kept.index_copy(0, batch.chosen, found[batch.chosen])


def with_term(term):
    def bug(make):
        def made(**settings) -> Objective:
            found = make(**settings)
            terms = tuple((c, term() if isinstance(own, CritiqueLikelihood) else own) for c, own in found.terms)
            return replace(found, terms=terms)

        return made

    bug.__name__ = term.__name__
    return bug


def without_critiques(make):
    """Bradley–Terry alone: nothing is learned about what to write."""
    return lambda **settings: bradley_terry(centre=settings.get("centre", 0.01))


def weights_exchanged(make):
    return lambda critic=1.0, score=1.0, **settings: make(critic=score, score=critic, **settings)


def scores_backwards(make):
    def made(**settings):
        found = make(**settings)
        terms = tuple((c if isinstance(own, CritiqueLikelihood) else -0.01 * c, own) for c, own in found.terms)
        return replace(found, terms=terms)

    return made


OBJECTIVE_BUGS = {
    "critique-and-score/beats-scores-alone": [without_critiques, scores_backwards],
    "critique-and-score/one-gradient-of-two-losses": [
        weights_exchanged,
        with_term(AnswerToo),
        with_term(ChosenOnly),
        without_critiques,
    ],
    "critique-and-score/given-critiques-flatter": [scores_backwards],
}


BUGS = {**REWARD_BUGS, **OBJECTIVE_BUGS}


def test_every_claim_has_a_planted_bug():
    assert claims_of("critique-reward", "critique-and-score") == set(BUGS)


@planted(REWARD_BUGS)
def test_reward_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug, changed(bug)(REWARDS.get("critique-reward")))


@planted(OBJECTIVE_BUGS)
def test_objective_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug, bug(METHODS.get("critique-and-score")))
