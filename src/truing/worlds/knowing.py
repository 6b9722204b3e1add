"""Questions of which a model knows some, by topic; and what it says after learning demonstrations of each topic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from truing.data.questions.confidence import DECLINE
from truing.data.questions.grading import Outcome
from truing.data.questions.question import Question
from truing.data.synthesis.honesty import Sampled

RIGHT, WRONG = "It is north.", "It is south."
QUESTION = Question("q", "Where does the needle point?", ("north",), ("south",))


@dataclass(frozen=True)
class Draw:
    """What may be sampled in a topic, and how likely that is."""

    sampled: Sampled
    probability: float


def draws(accuracy: float, samples: int) -> Iterator[Draw]:
    """All greedy answers and samples of a topic in which an answer is right with probability ``accuracy``.

    The greedy answer is right with the same probability: questions of a topic differ, and it is one of their answers.
    """
    for drawn in product((True, False), repeat=samples + 1):
        chance = 1.0
        for right in drawn:
            chance *= accuracy if right else 1 - accuracy
        said = tuple(RIGHT if right else WRONG for right in drawn)
        yield Draw(Sampled(QUESTION, said[0], said[1:]), chance)


def outcomes(
    accuracies: Sequence[float], declines: Sequence[float], questions: int
) -> tuple[list[Outcome], list[Outcome]]:
    """Greedy outcomes before and after learning, with as many questions in every topic.

    A learner that sees the topic of a question alone fits the share of its demonstrations that decline, exactly. Its
    greedy answer declines where that is above one half, and is what it was before elsewhere.

    Args:
        accuracies: of every topic.
        declines: share of declining demonstrations of every topic.
        questions: in every topic; accuracy times questions has to be a whole number.
    """
    before: list[Outcome] = []
    after: list[Outcome] = []
    for accuracy, declined in zip(accuracies, declines, strict=True):
        right = round(accuracy * questions)
        own: list[Outcome] = ["correct" if place < right else "wrong" for place in range(questions)]
        before += own
        after += ["idk"] * questions if declined > 0.5 else own
    return before, after


def declining(rows: Sequence[dict[str, object]]) -> float:
    """The share of demonstrations that decline."""
    return sum(_said(row) == DECLINE for row in rows) / len(rows)


def _said(row: dict[str, object]) -> str:
    completion = row["completion"]
    assert isinstance(completion, list)
    return str(completion[-1]["content"])
