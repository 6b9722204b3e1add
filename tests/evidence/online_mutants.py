"""Mistakes in objectives that learn from drawn answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from tests.evidence.mutants import each_term
from truing.objectives.algebra import Objective
from truing.objectives.algebra.actor_critic import ActorCritic
from truing.objectives.algebra.credits import GroupMean, GroupZScore, LeaveOneOut, group_mean
from truing.objectives.algebra.sampled import NegativeAware, PolicyGradient
from truing.objectives.methods.raft import BestLikelihood


def _gradient(**changes):
    def change(objective: Objective) -> Objective:
        return each_term(objective, lambda t: replace(t, **changes) if isinstance(t, PolicyGradient) else t)

    return change


def compared_with_itself(objective: Objective) -> Objective:
    """An answer is part of its own baseline."""
    return _gradient(credit=GroupMean())(objective)


def compared_with_others(objective: Objective) -> Objective:
    return _gradient(credit=LeaveOneOut())(objective)


def in_standard_deviations(objective: Objective) -> Objective:
    return _gradient(credit=GroupZScore())(objective)


def of_the_population(objective: Objective) -> Objective:
    """A standard deviation with n where n − 1 belongs."""
    return _gradient(credit=GroupZScore(population=True))(objective)


def against_advantage(objective: Objective) -> Objective:
    return -1.0 * objective


def unpulled(objective: Objective) -> Objective:
    """No KL divergence from the reference."""
    return _gradient(kl=0.0, penalty=0.0)(objective)


def pulled_twice(objective: Objective) -> Objective:
    return each_term(
        objective,
        lambda t: replace(t, kl=2 * t.kl, penalty=2 * t.penalty) if isinstance(t, PolicyGradient) else t,
    )


def clipped_like_grpo(objective: Objective) -> Objective:
    return _gradient(low=0.2, high=0.2)(objective)


def unclipped(objective: Objective) -> Objective:
    return _gradient(low=None, high=None)(objective)


def clipped_by_tokens(objective: Objective) -> Objective:
    return _gradient(level="token")(objective)


def clipped_by_sums(objective: Objective) -> Objective:
    """The whole answer's ratio, without the root."""
    return _gradient(level="answer")(objective)


@dataclass(frozen=True)
class _Squared:
    """Advantages are squared distances with their sign."""

    requires = frozenset()

    def __call__(self, reward, owners, batch):
        gap = reward - group_mean(reward, owners, batch.examples)[0]
        return gap * gap.abs()

    def text(self):
        return "reward_k"


def squared_credit(objective: Objective) -> Objective:
    return _gradient(credit=_Squared())(objective)


def weighted_by_probability(objective: Objective) -> Objective:
    """The policy draws, and its probability is multiplied in once more."""

    @dataclass(frozen=True, kw_only=True)
    class Twice(PolicyGradient):
        def losses(self, scores, batch, state):
            found = super().losses(scores, batch, state)
            return found._replace(
                values=found.values * scores.total(scores.token_logps).detach().exp()[batch.chosen]
            )

    return each_term(objective, lambda t: Twice(**vars(t)) if isinstance(t, PolicyGradient) else t)


def _actor(**changes):
    def change(objective: Objective) -> Objective:
        return each_term(objective, lambda t: replace(t, **changes) if isinstance(t, ActorCritic) else t)

    return change


def free_divergence(objective: Objective) -> Objective:
    return _actor(kl=0.0)(objective)


def half_the_cost(objective: Objective) -> Objective:
    return each_term(objective, lambda t: replace(t, kl=t.kl / 2) if isinstance(t, ActorCritic) else t)


def always_traced(objective: Objective) -> Objective:
    """λ is 0.95, whatever is asked for."""
    return _actor(trace=0.95)(objective)


def discounted(objective: Objective) -> Objective:
    return _actor(discount=0.9)(objective)


def cost_estimated_by_k3(objective: Objective) -> Objective:
    return _actor(estimate="k3")(objective)


def untargeted(objective: Objective) -> Objective:
    return _actor(target=None)(objective)


def reward_at_every_token(objective: Objective) -> Objective:
    """Every token gets the answer's reward, and not its last alone."""

    @dataclass(frozen=True, kw_only=True)
    class Everywhere(ActorCritic):
        def credit_tokens(self, scores, batch, state):
            found, changed = super().credit_tokens(scores, batch, state)
            more = batch.reward[scores.sequence] * (scores.lengths[scores.sequence] - 1 - scores.position)
            return {**found, "advantage": found["advantage"] + more}, changed

    return each_term(objective, lambda t: Everywhere(**vars(t)) if isinstance(t, ActorCritic) else t)


def _aware(**changes):
    def change(objective: Objective) -> Objective:
        return each_term(objective, lambda t: replace(t, **changes) if isinstance(t, NegativeAware) else t)

    return change


def no_negatives(objective: Objective) -> Objective:
    return _aware(negatives=0.0)(objective)


def half_negatives(objective: Objective) -> Objective:
    return _aware(negatives=0.5)(objective)


def everything_is_right(objective: Objective) -> Objective:
    return _aware(threshold=-1.0)(objective)


def wrong_for_right(objective: Objective) -> Objective:
    """The checker's verdict is read the wrong way round."""

    @dataclass(frozen=True)
    class Turned(NegativeAware):
        def losses(self, scores, batch, state):
            return super().losses(scores, replace(batch, reward=1 - batch.reward), state)

    return each_term(objective, lambda t: Turned(**vars(t)) if isinstance(t, NegativeAware) else t)


def first_for_best(objective: Objective) -> Objective:
    """The first answer is imitated, whatever it is worth."""

    @dataclass(frozen=True)
    class First(BestLikelihood):
        def losses(self, scores, batch, state):
            size = len(batch.example) // batch.examples
            return super().losses(scores, replace(batch, chosen=torch.arange(batch.examples) * size), state)

    return each_term(objective, lambda t: First(t.reduction))


def worst_for_best(objective: Objective) -> Objective:
    """The worst answer is imitated."""

    @dataclass(frozen=True)
    class Worst(BestLikelihood):
        def losses(self, scores, batch, state):
            size = len(batch.example) // batch.examples
            worst = batch.reward.view(-1, size).argmin(1)
            return super().losses(
                scores, replace(batch, chosen=torch.arange(batch.examples) * size + worst), state
            )

    return each_term(objective, lambda t: Worst(t.reduction))
