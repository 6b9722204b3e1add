"""Critique first, then score (MM-RLHF, 2502.10391), where being right takes two steps: to count, and to compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from truing.evidence.claim import Factory, claim
from truing.evidence.counting import (
    Body,
    Counted,
    accuracy,
    behind,
    counted_pairs,
    fresh,
    joint_scores,
    trained,
    true_counts,
)
from truing.evidence.measurement import Measurement, above, below, equals
from truing.objectives import Objective, bradley_terry, critique_and_score
from truing.rewards.algebra import Scorer

Make = Callable[..., Scorer]
WORLDS, PAIRS, SETS = 3, 60, 12
SOURCE = "2502.10391, section 4; catalogue, mm-rlhf-critique-rm: count, then compare"


def _pairs(seed: int) -> tuple[Counted, Counted]:
    """Pairs to learn from, and new ones."""
    return counted_pairs(seed, PAIRS), counted_pairs(seed + 5000, 2 * PAIRS)


@cache
def _alone(seed: int) -> Body:
    """A body of the same size that learned scores alone."""
    return trained(bradley_terry(centre=0.0), _pairs(seed)[0], seed, critiques=False)


@cache
def _body(seed: int) -> Body:
    return trained(critique_and_score(centre=0.0), _pairs(seed)[0], seed)


def _unaided(seed: int, pairs: Counted) -> float:
    return accuracy(_alone(seed).scores(pairs.asked, pairs.answers))


def _sets(seed: int) -> list[Counted]:
    """New pairs, several times."""
    return [counted_pairs(7000 + 100 * seed + number, 2 * PAIRS) for number in range(SETS)]


def _own(score: Scorer, pairs: Counted) -> float:
    return accuracy(score(pairs.asked, pairs.answers).values[:, 0])


def _seeds(seed: int) -> range:
    return range(100 * seed, 100 * seed + WORLDS)


@claim(
    method="critique-and-score",
    statement="Where being right means to count and to compare, one body that writes the count and then scores is "
    "right in more new pairs than the same body that learned scores alone, by more than 0.05.",
    source=SOURCE,
)
def beats_scores_alone(make: Factory, seed: int) -> Measurement:
    gains = []
    for own in _seeds(seed):
        known, new = _pairs(own)
        gains.append(_own(trained(make(centre=0.0), known, own).at(0), new) - _unaided(own, new))
    return above(0.05, gains, "share of pairs")


@claim(
    method="critique-and-score",
    statement="The gradient of the joint loss in all weights of body and heads is that of the critiques' cross-entropy "
    "plus that of Bradley-Terry on the scores, each by itself and by its weight, with a difference of 0.",
    source="2502.10391, section 4: L = L_critic + L_score",
)
def one_gradient_of_two_losses(make: Factory, seed: int) -> Measurement:
    critic, score = 0.7, 1.9
    data, start = counted_pairs(seed, 20), fresh(seed)
    joint = _gradient(start, lambda body: _loss(make(critic=critic, score=score, centre=0.0), body, data))
    said = torch.tensor([int(word.removeprefix("count")) for word in true_counts(data.answers)])

    def written(body: Body) -> Tensor:
        return functional.cross_entropy(body.logits(data.answers), said)

    def compared(body: Body) -> Tensor:
        found = body.scores(data.asked, behind(data.answers, true_counts(data.answers)))
        return functional.softplus(found[1::2] - found[0::2]).mean()

    apart = critic * _gradient(start, written) + score * _gradient(start, compared)
    return equals(0.0, float((joint - apart).abs().max()), 1e-12, "gradient")


def _loss(objective: Objective, body: Body, data: Counted) -> Tensor:
    scores, batch = joint_scores(body, data)
    return objective(scores, batch).loss


def _gradient(start: Body, loss: Callable[[Body], Tensor]) -> Tensor:
    weights = [own.clone().requires_grad_() for own in start.weights]
    found = torch.autograd.grad(loss(Body.of(weights)), weights, allow_unused=True, materialize_grads=True)
    return torch.cat([own.flatten() for own in found])


@claim(
    method="critique-and-score",
    statement="After the critiques of people, which it read in training, it is right in more new pairs than after "
    "critiques of its own that are often wrong: the difference is above 0.02.",
    source="2502.10391, section 4: teacher forcing in training, own critiques in use",
)
def given_critiques_flatter(make: Factory, seed: int) -> Measurement:
    gains = []
    for own in _seeds(seed):
        known, new = _pairs(own)
        body = trained(make(centre=0.0), known, own)
        given = accuracy(body.scores(new.asked, behind(new.answers, true_counts(new.answers))))
        gains.append(given - _own(replace(body, temperature=2.0).at(0), new))
    return above(0.02, gains, "share of pairs")


@claim(
    method="critique-reward",
    statement="With critiques that are wrong it is right in fewer pairs than a score without critiques: the difference "
    "is below 0.",
    source=SOURCE + ": corrupted critiques",
)
def wrong_critiques_mislead(make: Make, seed: int) -> Measurement:
    wrong = make(model=replace(_body(seed), shift=1))
    return below(0.0, [_own(wrong, new) - _unaided(seed, new) for new in _sets(seed)], "share of pairs")


@claim(
    method="critique-reward",
    statement="Where critiques are drawn and often wrong, the mean of 8 scores is right in more pairs than one score, "
    "by more than 0.02.",
    source="2502.10391, section 4: several critiques, averaged",
)
def several_critiques_are_better_than_one(make: Make, seed: int) -> Measurement:
    unsure = replace(_body(seed), temperature=2.0)
    one, many = make(model=unsure, samples=1), make(model=unsure, samples=8)
    return above(0.02, [_own(many, new) - _own(one, new) for new in _sets(seed)], "share of pairs")


@claim(
    method="critique-reward",
    statement="With one critique it is the score of prompt, answer and that critique, with a difference of 0.",
    source="2502.10391, section 4: R(x, y, c)",
)
def one_critique_is_one_score(make: Make, seed: int) -> Measurement:
    new, body = counted_pairs(seed, 50), _body(seed)
    texts = behind(new.answers, body.critiques(new.answers, 0))
    own = make(model=body)(new.asked, new.answers).values[:, 0]
    return equals(0.0, float((own - body.scores(new.asked, texts)).abs().max()), 0.0, "reward")
