"""PORTIA (2310.01432): a judge whose bias grows with distance, exact search for the cuts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS
from truing.judging.measures import consistency
from truing.judging.pairwise import pairwise_judge
from truing.judging.portia.align import token_overlap
from truing.judging.portia.cuts import cut_points, split
from truing.judging.presentation import Pair, Shown
from truing.judging.verdict import Opinion
from truing.worlds.judges import DistanceJudge, graded_pair

_SOURCE = "catalogue, portia: evidence"
_BIAS = 0.5


def _pairs(seed: int, count: int = 60) -> list[Pair]:
    generator = np.random.default_rng(seed)
    return [graded_pair(generator) for _ in range(count)]


@claim(
    method="portia",
    statement="For a judge whose liking for the first place grows with the distance between what it compares, 60 pairs "
    "are judged the same in both orders more often after the cascade than before, by more than 0.2 of the pairs.",
    source=_SOURCE,
)
def more_consistent_than_before(portia: Any, seed: int) -> Measurement:
    pairs = _pairs(seed)
    before = consistency(pairwise_judge(DistanceJudge(_BIAS), pairs)).value
    after = consistency([own.verdict for own in portia(DistanceJudge(_BIAS), pairs)]).value
    return above(0.2, after - before, "consistency", before=before, after=after)


@claim(
    method="portia",
    statement="Cut without asking first, pairs on which the judge was consistent before keep their verdict: 1.0 of "
    "them, at least 0.95 is asked for.",
    source=_SOURCE,
)
def consistent_verdicts_stay(portia: Any, seed: int) -> Measurement:
    pairs = _pairs(seed)
    before = pairwise_judge(DistanceJudge(_BIAS), pairs)
    after = portia(DistanceJudge(_BIAS), pairs, plain_first=False)
    kept = [
        own.verdict.winner == plain.winner for own, plain in zip(after, before, strict=True) if plain.consistent
    ]
    return above(0.95, float(np.mean(kept)) if len(kept) > 5 and all(own.parts for own in after) else 0.0, "share")


@claim(
    method="portia",
    statement="The cascade costs 2 questions where the judge is consistent on whole answers and at most 6 elsewhere: "
    "the judge without bias is asked 2 · 60 = 120 times.",
    source=f"{_SOURCE}: the semantic step runs only if the cheap step stays inconsistent",
)
def a_consistent_judge_costs_two_questions(portia: Any, seed: int) -> Measurement:
    fair, biased = DistanceJudge(0.0), DistanceJudge(_BIAS)
    pairs = _pairs(seed)
    portia(fair, pairs)
    counted = sum(own.asked for own in portia(biased, pairs))
    right = counted == biased.asked and len(pairs) < counted / 2 <= 3 * len(pairs)
    return equals(120.0, float(fair.asked) if right else 0.0, 0.0, "questions", biased=biased.asked)


@claim(
    method="portia",
    statement="The dynamic programme finds the best of all ways to cut two answers of 5 to 8 sentences into 3 parts: "
    "largest loss against all ways 0, in 5 worlds.",
    source=f"{_SOURCE}: the dynamic programme equals brute force",
)
def the_search_is_exact(portia: Any, seed: int) -> Measurement:
    # A judge that never agrees with itself is shown every stage; the last one has the parts that were searched for.
    generator = np.random.default_rng(seed)
    losses = []
    for _ in range(5):
        first, second = (_words(generator) for _ in range(2))
        (own,) = portia(_Never(), [Pair("question", first, second)])
        best = max(
            _total(zip(split(first, left), split(second, right), strict=True))
            for left in combinations(cut_points(first), 2)
            for right in combinations(cut_points(second), 2)
        )
        losses.append(best - _total(own.parts))
    return equals(0.0, max(losses), 1e-9, "similarity")


@claim(
    method="portia",
    statement="Parts joined are the answers, letter by letter, and the parts of an exchanged pair are the exchanged "
    "parts: 0 failures in 10 worlds.",
    source=f"{_SOURCE}: round trip of splits exact; Shared algebra: antisymmetric under swap",
)
def parts_are_the_answers(portia: Any, seed: int) -> Measurement:
    generator = np.random.default_rng(seed)
    failures = 0
    for _ in range(WORLDS):
        first, second = (_words(generator) for _ in range(2))
        (own,), (other,) = (
            portia(_Never(), [Pair("question", *texts)]) for texts in ((first, second), (second, first))
        )
        joined = tuple("".join(side) for side in zip(*own.parts, strict=True))
        turned = tuple((right, left) for left, right in other.parts)
        failures += joined != (first, second) or turned != own.parts
    return equals(0.0, float(failures), 0.0, "failures")


class _Never:
    """A judge of places."""

    name = "never"

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        return [Opinion(1.0) for _ in shown]


def _words(generator: np.random.Generator) -> str:
    sentences = [
        " ".join(generator.choice(list("abcdefgh"), int(generator.integers(2, 6)))) + "."
        for _ in range(int(generator.integers(5, 9)))
    ]
    return " ".join(sentence.capitalize() for sentence in sentences)


def _total(parts: Iterable[tuple[str, str]]) -> float:
    return sum(_alike(left, right) for left, right in parts)


@lru_cache(maxsize=4096)
def _alike(left: str, right: str) -> float:
    return float(token_overlap([left], [right])[0, 0])
