"""Critique first, then score (MM-RLHF, 2502.10391), where being right takes two steps: to count, and to compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from truing.evidence.claim import claim
from truing.evidence.counting import (
    Counted,
    LearnedCritic,
    LinearScore,
    counted_pairs,
    learned_critic,
    learned_score,
)
from truing.evidence.measurement import Measurement, above, below, equals
from truing.rewards.algebra import Scorer

Make = Callable[..., Scorer]
WORLDS, PAIRS = 5, 300
SOURCE = "2502.10391, section 4; catalogue, mm-rlhf-critique-rm: count, then compare"


@cache
def _world(seed: int) -> tuple[LearnedCritic, LinearScore, LinearScore, Counted]:
    """Critic, score after critiques and score without, all of the same training pairs; and new pairs."""
    known = counted_pairs(seed, PAIRS)
    critic = learned_critic(known)
    return (
        critic,
        learned_score(known, critiques=True),
        learned_score(known, critiques=False),
        counted_pairs(seed + 5000, PAIRS),
    )


def _accuracy(score: Scorer, pairs: Counted) -> float:
    """Share of pairs in the right order; ties count one half."""
    gap = (score(pairs.prompts, pairs.chosen).values - score(pairs.prompts, pairs.rejected).values)[:, 0]
    return float((gap > 0).double().mean() + 0.5 * (gap == 0).double().mean())


def _seeds(seed: int) -> range:
    return range(100 * seed, 100 * seed + WORLDS)


@claim(
    method="critique-reward",
    statement="Where being right means to count and to compare, a score that reads the critic's own count is right in "
    "more new pairs than one of the same size without, by more than 5 points.",
    source=SOURCE,
)
def reads_what_it_cannot_count(make: Make, seed: int) -> Measurement:
    gains = []
    for own in _seeds(seed):
        critic, reads, alone, new = _world(own)
        gains.append(_accuracy(make(critic=critic, model=reads), new) - _accuracy(alone, new))
    return above(0.05, gains, "share of pairs")


@claim(
    method="critique-reward",
    statement="With critiques that are wrong it is right in fewer pairs than a score without critiques: the difference "
    "is below 0.",
    source=SOURCE + ": corrupted critiques",
)
def wrong_critiques_mislead(make: Make, seed: int) -> Measurement:
    losses = []
    for own in _seeds(seed):
        critic, reads, alone, new = _world(own)
        losses.append(_accuracy(make(critic=replace(critic, shift=1), model=reads), new) - _accuracy(alone, new))
    return below(0.0, losses, "share of pairs")


@claim(
    method="critique-reward",
    statement="Where a critic draws its critiques and is often wrong, the mean of 8 scores is right in more pairs than "
    "one score, by more than 2 points.",
    source="2502.10391, section 4: several critiques, averaged",
)
def several_critiques_are_better_than_one(make: Make, seed: int) -> Measurement:
    gains = []
    for own in _seeds(seed):
        critic, reads, _, new = _world(own)
        unsure = replace(critic, temperature=8.0)
        few, many = (_accuracy(make(critic=unsure, model=reads, samples=n), new) for n in (1, 8))
        gains.append(many - few)
    return above(0.02, gains, "share of pairs")


@claim(
    method="critique-reward",
    statement="With one critique it is the score of prompt, answer and that critique, exactly.",
    source="2502.10391, section 4: R(x, y, c)",
)
def one_critique_is_one_score(make: Make, seed: int) -> Measurement:
    critic, reads, _, new = _world(100 * seed)
    written = critic(new.prompts, new.chosen, 0)
    texts = [f"{answer}\n\nCritique: {critique}" for answer, critique in zip(new.chosen, written, strict=True)]
    own = make(critic=critic, model=reads)(new.prompts, new.chosen).values
    return equals(0.0, float((own - reads(new.prompts, texts).values).abs().max()), 0.0, "reward")
