"""Every claim about follow-up likelihood fails on each of the bugs that it is paired with here."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pytest

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.policies.packing import Tree
from truing.rewards.algebra import Rewards
from truing.rewards.judges.follow_up import FollowUps
from truing.rewards.methods import REWARDS


def changed(kind: type[FollowUps]):
    """A factory whose scorer is of another class."""

    def bug(make):
        def made(**settings) -> FollowUps:
            right = make(**settings)
            return kind(**{field.name: getattr(right, field.name) for field in fields(right)})

        return made

    bug.__name__ = kind.__name__
    return bug


@dataclass(frozen=True)
class PositiveAlone(FollowUps):
    def __call__(self, prompts, completions):
        return Rewards.of(self.likelihoods(prompts, completions)[:, : len(self.positive)].mean(1), self.names)


@dataclass(frozen=True)
class Negated(FollowUps):
    def __call__(self, prompts, completions):
        return Rewards.of(-super().__call__(prompts, completions).values[:, 0], self.names)


@dataclass(frozen=True)
class AnswerLeftOut(FollowUps):
    def tree(self, prompt, completion):
        return super().tree(prompt, "")


@dataclass(frozen=True)
class PromptLeftOut(FollowUps):
    def tree(self, prompt, completion):
        return super().tree("", completion)


@dataclass(frozen=True)
class LikelihoodOfTheAnswer(FollowUps):
    def __call__(self, prompts, completions):
        trees = []
        for prompt, completion in zip(prompts, completions, strict=True):
            ids = self.policy.tokenizer(prompt + completion)["input_ids"]
            trees.append(Tree(ids[:1], [ids[1:]]))
        scores = self.policy.score_all(trees)
        return Rewards.of(scores.total(scores.token_logps).double(), self.names)


PREFERS = "follow-up-likelihood/prefers-answers-that-match"
PRIOR = "follow-up-likelihood/takes-the-prior-of-replies-away"
MINED = "follow-up-likelihood/mined-pairs-teach-to-match"

BUGS = {
    PREFERS: [Negated, AnswerLeftOut, PromptLeftOut, LikelihoodOfTheAnswer],
    PRIOR: [PositiveAlone, Negated, LikelihoodOfTheAnswer],
    MINED: [Negated, AnswerLeftOut, PromptLeftOut, LikelihoodOfTheAnswer],
}


def test_every_claim_has_a_planted_bug():
    assert claims_of("follow-up-likelihood") == set(BUGS)


@pytest.mark.slow
@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug, changed(bug)(REWARDS.get("follow-up-likelihood")))
