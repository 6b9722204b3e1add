"""Questions of many topics, whose rules are written in other words than the questions, and a model that obeys rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from truing.prompting.guidelines.library import Library

OPTIONS = 4
"""Answers to choose from; without its topic's rule the model guesses."""


@dataclass(frozen=True)
class Topics:
    """A world.

    Attributes:
        library: one rule a topic, with training questions.
        held_out: further questions.
        topics: of the held-out questions.
        right: the right answer of each topic.
    """

    library: Library
    held_out: tuple[str, ...]
    topics: tuple[int, ...]
    right: tuple[int, ...]


def topics(seed: int, *, count: int = 25, questions: int = 6, held_out: int = 3) -> Topics:
    """Each topic has four words of questions and four other words of its rule; all share filler words.

    Args:
        seed: of everything.
        count: topics.
        questions, held_out: of each topic, for training and for measuring.
    """
    draw = np.random.default_rng(seed)

    def text(kind: str, topic: int, words: int) -> str:
        own = [f"{kind}{topic}x{number}" for number in draw.permutation(4)[:words]]
        return " ".join([*own, *(f"filler{number}" for number in draw.integers(0, 12, 4))])

    rules = tuple(f"rule{topic} {text('said', topic, 4)}" for topic in range(count))
    asked = [(text("asked", topic, 2), topic) for topic in range(count) for _ in range(questions)]
    later = [(text("asked", topic, 2), topic) for topic in range(count) for _ in range(held_out)]
    library = Library(
        rules, tuple(range(count)), tuple(one for one, _ in asked), tuple((topic,) for _, topic in asked)
    )
    right = tuple(int(answer) for answer in draw.integers(0, OPTIONS, count))
    return Topics(library, tuple(one for one, _ in later), tuple(topic for _, topic in later), right)


def answers(world: Topics, told: Sequence[str], asked: Sequence[int], seed: int) -> list[int]:
    """What the model answers: by the rule where it is told it, else one of the options by chance.

    Args:
        world: with right answers.
        told: everything that the model is shown for each question.
        asked: topics.
        seed: of its guesses.
    """
    draw = np.random.default_rng(seed)
    guesses = draw.integers(0, OPTIONS, len(asked))
    return [
        world.right[topic] if f"rule{topic} " in text else int(guess)
        for text, topic, guess in zip(told, asked, guesses, strict=True)
    ]
