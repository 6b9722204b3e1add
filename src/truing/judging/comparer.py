"""Whoever is shown two answers in one order and says which is better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from truing.judging.presentation import Shown
from truing.judging.verdict import Opinion


class Comparer(Protocol):
    """A judge of two answers as they stand: a chat model, the odds of a model's letters, a file of verdicts.

    A comparer knows nothing of orders: protocols show it a pair in several presentations, and merge what it says.
    """

    @property
    def name(self) -> str:
        """Of the judge, for records and to notice a judge of its own answers."""

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        """What it says of each, in order; :data:`~truing.judging.verdict.UNREAD` where its reply could not be read."""
