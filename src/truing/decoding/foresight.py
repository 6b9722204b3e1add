"""What can be said before anything is drawn: that a task cannot be decoded, and what it costs at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from truing.decoding.task import Task


@dataclass(frozen=True)
class Most:
    """What is drawn at most.

    Attributes:
        answers: whole answers, or continuations of answers.
        tokens: of all of them, and tokens that are tried one by one.
        rewards: texts that the rewards look at.
    """

    answers: int = 0
    tokens: int = 0
    rewards: int = 0

    def __add__(self, other: Most) -> Most:
        return Most(self.answers + other.answers, self.tokens + other.tokens, self.rewards + other.rewards)

    def __mul__(self, count: int) -> Most:
        return Most(self.answers * count, self.tokens * count, self.rewards * count)


def whole_answers(task: Task, count: int) -> Most:
    """Of so many answers to a prompt."""
    return Most(count, count * task.sampling.max_new_tokens, count if task.worth is not None else 0)


@runtime_checkable
class Checking(Protocol):
    """A way to decode, or a part of one, that knows what it cannot do."""

    def check(self, task: Task) -> None:
        """Refuse a task, before anything is drawn.

        Raises:
            TruingError: if it cannot be decoded.
        """


@runtime_checkable
class Bounded(Protocol):
    """A way to decode that knows what it draws at most."""

    def most(self, task: Task) -> Most:
        """For one prompt of a task."""


@runtime_checkable
class BoundedValue(Protocol):
    """A value of unfinished answers that knows what it draws at most."""

    def most(self, task: Task, at: int) -> Most:
        """For one answer of ``at`` tokens."""


def check(task: Task, *parts: object) -> None:
    """Let those parts of a way to decode refuse a task that can.

    Raises:
        TruingError: if one of them does.
    """
    for part in parts:
        if isinstance(part, Checking):
            part.check(task)
