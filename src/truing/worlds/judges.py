"""Judges whose skill and bias are known, for protocols: by logits, and by how far apart stands what they compare."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from scipy.special import expit

from truing.judging.presentation import Pair, Presentation, Shown
from truing.judging.verdict import Opinion

GOOD, BAD = "good answer", "bad answer"
BETTER = Pair("question", GOOD, BAD)
"""A pair of which A is better."""
WORSE = Pair("question", BAD, GOOD)
"""A pair of which B is better."""


@dataclass(frozen=True)
class LogitJudge:
    """Says that the first answer is better with probability σ(±skill + place + letter).

    Args:
        skill: nats for the better answer.
        place: nats for the answer that stands first.
        letter: nats for the answer that is called A.
    """

    skill: float
    place: float = 0.0
    letter: float = 0.0
    name: str = "logit judge"

    def logit(self, shown: Shown) -> float:
        """Of the first answer."""
        sides = (shown.first == GOOD) - (shown.second == GOOD)
        letters = (shown.labels[0] == "A") - (shown.labels[1] == "A")
        return self.skill * sides + self.place + self.letter * letters

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        return [Opinion(float(expit(self.logit(item)))) for item in shown]


@dataclass(frozen=True)
class Said:
    """A judge that says one thing after the other, as far as it is asked."""

    sides: Sequence[float]
    name: str = "said"

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        return [Opinion(side) for side, _ in zip(self.sides, shown, strict=False)]


def outcomes(
    judge: LogitJudge, presentations: Sequence[Presentation], pair: Pair = BETTER
) -> list[tuple[Said, float]]:
    """Everything that a judge may say of a pair if it decides each time by itself, with its probability."""
    chances = [expit(judge.logit(presentation.show(pair))) for presentation in presentations]
    return [
        (
            Said(sides),
            float(np.prod([chance if side else 1 - chance for side, chance in zip(sides, chances, strict=True)])),
        )
        for sides in product((1.0, 0.0), repeat=len(presentations))
    ]


_GRADED = re.compile(r"topic(\d+) gets (\d+)")


@dataclass
class DistanceJudge:
    """Adds up graded sentences of both answers, and leans to the first the more, the further apart the topics stand.

    logit(first) = mean over topics of the difference in grades + bias · mean distance, in hundreds of characters,
    between what is said of a topic in one and in the other answer, as they are shown.

    Args:
        bias: nats for each hundred characters.
    """

    bias: float
    name: str = "distance judge"
    asked: int = field(default=0)

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        self.asked += len(shown)
        return [Opinion(float(expit(self.logit(item)))) for item in shown]

    def logit(self, shown: Shown) -> float:
        """Of the first answer."""
        found: tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]] = ({}, {})
        place = 0
        for sides in shown.parts or ((shown.first, shown.second),):
            for side, text in zip(found, sides, strict=True):
                for said in _GRADED.finditer(text):
                    side[said.group(1)] = (place + said.start(), int(said.group(2)))
                place += len(text)
        shared = [(found[0][topic], found[1][topic]) for topic in found[0] if topic in found[1]]
        gap = np.mean([first[1] - second[1] for first, second in shared])
        apart = np.mean([abs(first[0] - second[0]) for first, second in shared]) / 100
        return float(gap + self.bias * apart)


def graded_pair(generator: np.random.Generator, topics: int = 6) -> Pair:
    """Two answers on the same topics in the same order, each with grades of its own and a sentence or two besides."""

    def answer() -> str:
        sentences = []
        for topic in range(topics):
            sentences.append(f"The topic{topic} gets {generator.integers(1, 10)}.")
            sentences += [f"More of topic{topic} is said here."] * int(generator.integers(0, 4))
        return " ".join(sentences)

    return Pair("question", answer(), answer())
