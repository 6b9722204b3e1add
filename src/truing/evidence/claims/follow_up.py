"""Follow-up likelihood as a reward (2409.13948), in a grammar of dialogues whose users react."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above
from truing.evidence.reactions import ANSWERS, NEGATIVE, POSITIVE, PROMPTS, TOPICS, USER, Reactions, reactions
from truing.objectives import dpo
from truing.rewards.judges.follow_up import FollowUps
from truing.worlds import Tabular, descend, pairs

Make = Callable[..., FollowUps]

_NETWORKS = 4
_SETTINGS = {"positive": POSITIVE, "negative": NEGATIVE, "user_turn": USER}
_MATCHES = torch.eye(TOPICS, len(ANSWERS), dtype=torch.bool)


@claim(
    method="follow-up-likelihood",
    statement="Of an answer that matches the topic and one that does not the reward prefers the first in over "
    "85 % of pairs, with 10 % of reactions wrong; the likelihood of the answer itself is right in at most half "
    "of the pairs.",
    source="catalogue, follow-up-likelihood: dialogue grammar",
)
def prefers_answers_that_match(make: Make, seed: int) -> Measurement:
    found, likely = [], []
    for number in range(_NETWORKS):
        world = reactions(seed * _NETWORKS + number)
        found.append(_accuracy(_table(make, world)))
        likely.append(_accuracy(world.answer_logps()))
    at_most_half = sum(likely) / len(likely) <= 0.5
    return above(0.85, found if at_most_half else [math.nan] * 2, "share of pairs", by_own_likelihood=likely)


@claim(
    method="follow-up-likelihood",
    statement="Where users of one topic react more than those of another, matching answers of all topics are "
    "told from other answers of all topics better than by positive replies alone: over 2 points more of all "
    "pairs, in the mean of 4 networks.",
    source="catalogue, follow-up-likelihood: a positive reply's own probability differs from prompt to prompt",
)
def takes_the_prior_of_replies_away(make: Make, seed: int) -> Measurement:
    gains = []
    for number in range(_NETWORKS):
        world = reactions(seed * _NETWORKS + number)
        with world.folder() as folder:
            scorer = make(model=folder, **_SETTINGS)
            own = scorer(*_every()).values[:, 0].view(TOPICS, -1)
            positive = scorer.likelihoods(*_every())[:, : len(POSITIVE)].mean(1).view(TOPICS, -1)
        gains.append(_across_topics(own) - _across_topics(positive))
    return above(0.02, gains, "share of pairs")


@claim(
    method="follow-up-likelihood",
    statement="One round of DPO (beta 0.1, 200 steps) on pairs mined with it (best against worst of 8 answers "
    "that the model itself draws) raises the share of matching answers by more than 0.3.",
    source="2409.13948: mining pairs from online generations; catalogue, follow-up-likelihood",
)
def mined_pairs_teach_to_match(make: Make, seed: int) -> Measurement:
    gains = []
    for number in range(_NETWORKS):
        world = reactions(seed * _NETWORKS + number)
        start = Tabular(world.answer_logps())
        table = _table(make, world)
        draw = torch.Generator().manual_seed(seed * _NETWORKS + number)
        chances = start.logps().detach().exp()
        drawn = torch.multinomial(chances.repeat_interleave(64, 0), 8, replacement=True, generator=draw)
        topic = torch.arange(TOPICS).repeat_interleave(64)
        rewards = table[topic[:, None], drawn]
        best = drawn.gather(1, rewards.argmax(1, keepdim=True))[:, 0]
        worst = drawn.gather(1, rewards.argmin(1, keepdim=True))[:, 0]
        apart = best != worst
        if not apart.any():
            gains.append(0.0)
            continue
        mined = pairs(best[apart].tolist(), worst[apart].tolist(), prompt=topic[apart].tolist())
        after = descend(start, dpo(beta=0.1), mined, steps=200, rate=20.0).policy
        gains.append(_matching(after) - _matching(start))
    return above(0.3, gains, "share of answers")


def _table(make: Make, world: Reactions) -> Float[Tensor, "topics answers"]:
    """Rewards of every answer to every topic."""
    with world.folder() as folder:
        return make(model=folder, **_SETTINGS)(*_every()).values[:, 0].view(TOPICS, -1)


def _every() -> tuple[list[str], list[str]]:
    return [prompt for prompt in PROMPTS for _ in ANSWERS], ANSWERS * TOPICS


def _accuracy(values: Float[Tensor, "topics answers"]) -> float:
    """Share of pairs of one topic, a matching answer and another, that are in the right order; ties count half."""
    own, others = values[_MATCHES][:, None], values[~_MATCHES].view(TOPICS, -1)
    return float(((own > others).double() + 0.5 * (own == others).double()).mean())


def _across_topics(values: Float[Tensor, "topics answers"]) -> float:
    """The same for pairs of any two topics."""
    own, others = values[_MATCHES][:, None], values[~_MATCHES][None]
    return float(((own > others).double() + 0.5 * (own == others).double()).mean())


def _matching(policy: Tabular) -> float:
    return float(policy.logps().detach().exp()[_MATCHES].mean())
