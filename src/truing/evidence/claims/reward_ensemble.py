"""Aggregates of reward models (2312.09244; uncertainty-weighted: 2310.02743).

Members in a linear world, see :mod:`truing.worlds.reward_members`; every comparison is made in the same worlds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from scipy import stats
from torch import Tensor

from truing.evidence.claim import Experiment, claim
from truing.evidence.measurement import Measurement, above, below, equals, mean_interval
from truing.evidence.reward_tables import combined
from truing.evidence.setups import normals
from truing.rewards.algebra import Combiner
from truing.worlds.reward_members import Members, best_of, train_members

MakeCombiner = Callable[..., Combiner]
COUNT, PROMPTS, CANDIDATES = 16, 60, 256
AGGREGATES = ("mean", "median", "min", "mean-minus-std", "uncertainty-weighted")
CAUTIOUS = ("mean-minus-std", "uncertainty-weighted")
SOURCE = "2312.09244, sections 4 and 5; catalogue, reward-ensemble: linear world, best of 256"


@dataclass(frozen=True)
class World:
    """Candidates, what members of 5 × 5 seeds say of them, and what they are worth.

    Attributes:
        members: the reward models.
        scores: shape ``[P, N, 5, 5]``, pretraining seeds first.
        truth: shape ``[P, N]``.
    """

    members: Members
    scores: Tensor
    truth: Tensor

    def by_pretraining(self) -> list[Tensor]:
        """Scores of ensembles whose members differ in their pretraining."""
        return list(self.scores.unbind(3))

    def by_finetuning(self) -> list[Tensor]:
        """Scores of ensembles whose members share their pretraining."""
        return list(self.scores.unbind(2))

    def singles(self) -> list[Tensor]:
        """Scores of each member."""
        return list(self.scores.flatten(2).unbind(2))

    def reached(self, scores: Tensor, n: int = CANDIDATES) -> float:
        """Mean true reward of the best of n by these scores."""
        return float(best_of(scores, self.truth, n).mean())


@cache
def _worlds(seed: int) -> tuple[World, ...]:
    return tuple(_world(100 * seed + number) for number in range(COUNT))


def _world(seed: int) -> World:
    members = train_members(seed)
    answers = normals(seed + 50_000, PROMPTS, CANDIDATES, len(members.truth))
    return World(members, torch.einsum("pnf,abf->pnab", answers, members.models), answers @ members.truth)


def _average(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _of(methods: Sequence[str], statement: str) -> Callable[[Experiment], Experiment]:
    """The same prediction about several aggregates."""

    def register(experiment: Experiment) -> Experiment:
        for method in methods:
            claim(method=method, statement=statement, source=SOURCE)(experiment)
        return experiment

    return register


@_of(
    AGGREGATES,
    "With best-of-256 an ensemble over pretraining seeds reaches a higher true reward than one over fine-tuning seeds.",
)
def pretraining_seeds_help_more(make: MakeCombiner, seed: int) -> Measurement:
    gains = []
    for world in _worlds(seed):
        first, second = (
            _average([world.reached(combined(make(), scores)) for scores in ensembles])
            for ensembles in (world.by_pretraining(), world.by_finetuning())
        )
        gains.append(first - second)
    return above(0.0, gains, "true reward")


@_of(
    AGGREGATES,
    "With best-of-256 an ensemble over fine-tuning seeds reaches a higher true reward than single members.",
)
def better_than_one(make: MakeCombiner, seed: int) -> Measurement:
    gains = []
    for world in _worlds(seed):
        ensemble = _average([world.reached(combined(make(), scores)) for scores in world.by_finetuning()])
        gains.append(ensemble - _average([world.reached(scores) for scores in world.singles()]))
    return above(0.0, gains, "true reward")


@_of(
    AGGREGATES,
    "What is wrong with all members stays: where all like length, the best of 256 has a lower true reward than "
    "any answer taken at random, and is longer by more than a standard deviation.",
)
def shared_errors_remain(make: MakeCombiner, seed: int) -> Measurement:
    """All members like length, with coefficient 2.5; the truth dislikes it, with coefficient 2."""
    falls = []
    for number, world in enumerate(_worlds(seed)):
        length = normals(100 * seed + number + 90_000, PROMPTS, CANDIDATES)
        truth = world.truth - 2 * length
        scores = [combined(make(), members + 2.5 * length[..., None]) for members in world.by_pretraining()]
        longer = _average([float(best_of(own, length, CANDIDATES).mean()) for own in scores])
        first, last = (_average([float(best_of(own, truth, n).mean()) for own in scores]) for n in (1, CANDIDATES))
        falls.append(last - first if longer > 1 else math.nan)
    return below(0.0, falls, "true reward")


@_of(AGGREGATES, "Of one member it is that member's reward, exactly.")
def of_one_member_nothing_changes(make: MakeCombiner, seed: int) -> Measurement:
    rewards = normals(seed, 50, 1)
    return equals(0.0, float((combined(make(), rewards) - rewards[:, 0]).abs().max()), 0.0, "reward")


@_of(
    CAUTIOUS,
    "Members that are equally accurate in distribution (within 2 points) rank the best of 256 less alike than "
    "random answers, and the price of disagreement is higher there.",
)
def sees_where_members_part(make: MakeCombiner, seed: int) -> Measurement:
    rises, spreads, parted = [], [], []
    for number, world in enumerate(_worlds(seed)):
        scores = world.by_pretraining()[0]
        base = scores[:, 0]
        best = [scores[torch.arange(PROMPTS), scores[:, :, m].argmax(1)] for m in range(scores.shape[-1])]
        accuracy = world.members.accuracy(normals(number, 2000, len(world.members.truth)))
        spreads.append(float(accuracy.max() - accuracy.min()))
        parted.append(_agreement(base) - _average([_agreement(own) for own in best]))
        rises.append(_price(make, torch.cat(best)) - _price(make, base))
    as_said = max(spreads) < 0.02 and mean_interval(parted)[0] > 0
    numbers = {"largest_spread_of_accuracy": max(spreads), "fall_of_rank_correlation": mean_interval(parted)}
    return above(0.0, rises if as_said else [math.nan, math.nan], "reward", **numbers)


def _price(make: MakeCombiner, scores: Tensor) -> float:
    """What the mean loses to disagreement."""
    return float((scores.mean(-1) - combined(make(), scores)).mean())


def _agreement(scores: Tensor) -> float:
    """Mean Spearman correlation between members over answers, shape ``[answers, members]``."""
    table = stats.spearmanr(scores.numpy()).statistic
    count = len(table)
    return float((table.sum() - count) / (count * (count - 1)))
