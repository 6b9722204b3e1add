"""MM-DPO (2502.10391): trust in a pair grows with its margin."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from truing.evidence.claim import Factory, claim
from truing.evidence.crowds import Crowd, accuracy, scored
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS, sensitivity
from truing.objectives import Batch, Objective, Scores, dpo
from truing.worlds import descend

BETA, GROWTH, RATE = 0.1, 4.0, 1.0
COUNT = 100


@claim(
    method="mm-dpo",
    statement="At a gap of 0 a pair is pulled by beta(margin)/2; a margin without bound against margin 0 gives 1 + w, "
    "and one of −100 the least beta, 0.001: largest error 1e-9 for w = 4.",
    source="2502.10391, dynamic reward scaling; catalogue, mm-dpo",
)
def pull_grows_with_the_margin(make: Factory, _seed: int) -> Measurement:
    margins = torch.tensor([0.0, 1.0, 100.0, -100.0], dtype=torch.float64)
    scores = Scores.from_sequences(torch.full((8,), -1.0).double(), torch.full((8,), -1.0).double())
    objective = make(beta=BETA, growth=GROWTH, rate=RATE, gamma=0.0)
    pull = -4 * sensitivity(objective, scores, Batch.pairs(4, margin=margins))[0::2]
    at_one = BETA * (1 + GROWTH * (1 - math.exp(-RATE)))
    predicted = torch.tensor([BETA, at_one, BETA * (1 + GROWTH), 1e-3], dtype=torch.float64) / 2
    return equals(0.0, float((pull - predicted).abs().max()), 1e-9, "per nat")


@claim(
    method="mm-dpo",
    statement="Where labels of close pairs are flipped more often, and a reward model scores answers with some error, "
    "more pairs of 10 answers are ordered rightly than with a constant beta (10 worlds of 100 pairs).",
    source="catalogue, mm-dpo",
)
def margins_help(make: Factory, seed: int) -> Measurement:
    gains = [_gain(_mm(make), crowd) for crowd in _crowds(seed)]
    return above(0.0, gains, "accuracy")


@claim(
    method="mm-dpo",
    statement="Control: it is what margins say that helps, not that betas differ, since the same margins given to "
    "other pairs order fewer pairs of answers rightly (10 worlds of 100 pairs).",
    source="catalogue, mm-dpo: a random margin is uninformative",
)
def shuffled_margins_help_less(make: Factory, seed: int) -> Measurement:
    own, other = (
        [_gain(_mm(make), crowd) for crowd in crowds]
        for crowds in (_crowds(seed), [_shuffled(crowd, seed) for crowd in _crowds(seed)])
    )
    return above(0.0, [a - b for a, b in zip(own, other, strict=True)], "accuracy", shuffled_gains=other)


def _mm(make: Factory) -> Objective:
    return make(beta=BETA, growth=GROWTH, rate=RATE, gamma=0.0)


def _crowds(seed: int) -> list[Crowd]:
    return [scored(1000 * seed + world, COUNT) for world in range(WORLDS)]


def _shuffled(crowd: Crowd, seed: int) -> Crowd:
    margin = crowd.data.batch.margin
    assert margin is not None
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(seed))
    return replace(crowd, data=replace(crowd.data, batch=replace(crowd.data.batch, margin=margin[order])))


def _gain(objective: Objective, crowd: Crowd) -> float:
    """Accuracy beyond that of DPO after equal steps."""
    ours, plain = (
        accuracy(descend(crowd.start, one, crowd.data, steps=40, rate=8.0).policy, crowd)
        for one in (objective, dpo(beta=BETA))
    )
    return ours - plain
