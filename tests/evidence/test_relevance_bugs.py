"""Every claim about the regularised relevance reward fails on each of the bugs that it is paired with here."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.rewards.functions.relevance import Relevance
from truing.rewards.methods import REWARDS


def changed(kind: type[Relevance]):
    """A factory whose scorer is of another class."""

    def bug(make):
        def made(**settings) -> Relevance:
            right = make(**settings)
            return kind(**{field.name: getattr(right, field.name) for field in fields(right)})

        return made

    bug.__name__ = kind.__name__
    return bug


@dataclass(frozen=True)
class NoLength(Relevance):
    def terms(self, prompts, completions):
        return {**super().terms(prompts, completions), "length": torch.ones(len(completions), dtype=torch.float64)}


@dataclass(frozen=True)
class NoVariety(Relevance):
    def terms(self, prompts, completions):
        return {
            **super().terms(prompts, completions),
            "variety": torch.ones(len(completions), dtype=torch.float64),
        }


@dataclass(frozen=True)
class NoRelevance(Relevance):
    def terms(self, prompts, completions):
        return {**super().terms(prompts, completions), "query": torch.ones(len(completions), dtype=torch.float64)}


@dataclass(frozen=True)
class LengthInCharacters(Relevance):
    def terms(self, prompts, completions):
        lengths = [min(len(completion) / self.length, 1.0) for completion in completions]
        return {**super().terms(prompts, completions), "length": torch.tensor(lengths, dtype=torch.float64)}


@dataclass(frozen=True)
class Shared:
    """Different words that two texts share: no cosine."""

    def __call__(self, left, right):
        shared = [len({*a.lower().split()} & {*b.lower().split()}) for a, b in zip(left, right, strict=True)]
        return torch.tensor(shared, dtype=torch.float64)


def another_similarity(make):
    def made(**settings) -> Relevance:
        right = make(**settings)
        return Relevance(**{**{f.name: getattr(right, f.name) for f in fields(right)}, "similarity": Shared()})

    return made


def always_open(make):
    return lambda kind=None, **settings: make(**settings)


def query_for_reference(make):
    def made(**settings):
        right = make(**settings)
        return lambda prompts, completions, columns: right(prompts, completions, {**columns, "answer": prompts})

    return made


def mixture(make):
    return lambda **settings: make(**{**settings, "combine": "mean"})


def longer_runs(make):
    return lambda **settings: make(**settings, ngram=20)


OPEN = "r3-relevance/long-and-on-topic-where-prompts-are-open"
CLOSED = "r3-relevance/short-and-on-topic-where-prompts-are-closed"
REPEATED = "r3-relevance/repetition-is-worth-its-share"
OFF_TOPIC = "r3-relevance/off-topic-is-worth-little"

BUGS = {
    OPEN: [
        changed(NoLength),
        changed(NoVariety),
        changed(NoRelevance),
        changed(LengthInCharacters),
        another_similarity,
    ],
    CLOSED: [always_open, query_for_reference],
    REPEATED: [changed(NoVariety), mixture, longer_runs],
    OFF_TOPIC: [changed(NoRelevance), mixture],
}


def test_every_claim_has_a_planted_bug():
    assert claims_of("r3-relevance") == set(BUGS)


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug, bug(REWARDS.get("r3-relevance")))
