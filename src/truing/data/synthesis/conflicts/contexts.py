"""Contexts in which some share of the passages is poisoned, and what is right to answer (2404.00486)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from truing.data.questions.grading import Grade, outcome
from truing.data.questions.question import Question
from truing.data.views import hash_of
from truing.errors import DataError

Kind = Literal["agreeing", "edit", "inter-context", "poison", "unknown"]
"""What contradicts what: nothing; right passages a wrong memory; passages each other; poisoned passages a right memory;
poisoned passages a memory that is wrong, too, so that nothing tells the truth.
"""


@dataclass(frozen=True)
class Context:
    """A question with passages.

    Attributes:
        question: with its answers.
        passages: as they are shown, in a shuffled order.
        poisoned: the claims of the poisoned ones among them.
        memory: what the student answers without any passage.
        remembers: whether that is right.
    """

    question: Question
    passages: tuple[str, ...]
    poisoned: tuple[str, ...]
    memory: str
    remembers: bool

    @property
    def ratio(self) -> float:
        """Share of the passages that is poisoned."""
        return len(self.poisoned) / len(self.passages)

    @property
    def kind(self) -> Kind:
        """What contradicts what."""
        if not self.poisoned:
            return "agreeing" if self.remembers else "edit"
        if self.ratio < 1:
            return "inter-context"
        return "poison" if self.remembers else "unknown"

    @property
    def cell(self) -> tuple[str, float]:
        """Type of conflict and ratio, by which strategies are chosen.

        It says nothing about who is right, which a model cannot know either: passages against each other, or all of
        them against its memory, or no conflict.
        """
        if 0 < self.ratio < 1:
            return "inter-context", self.ratio
        conflict = self.kind in ("edit", "poison", "unknown")
        return ("context-memory" if conflict else "none"), self.ratio


@dataclass(frozen=True)
class Mixing:
    """Which contexts are made.

    Attributes:
        passages: in a context.
        ratios: shares of poisoned ones; each a whole number of passages.
        seed: of the choice and order of passages.
    """

    passages: int = 4
    ratios: tuple[float, ...] = (0.0, 0.5, 1.0)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.passages < 1:
            raise DataError(f"{self.passages} passages", where="--passages", allowed="1 or more")
        for ratio in self.ratios:
            if not 0 <= ratio <= 1 or abs(ratio * self.passages - round(ratio * self.passages)) > 1e-9:
                raise DataError(
                    f"a share of {ratio:g} of {self.passages} passages cannot be poisoned",
                    where="--ratio",
                    allowed=", ".join(f"{count / self.passages:g}" for count in range(self.passages + 1)),
                )


def contexts(question: Question, memory: str, mixing: Mixing, grade: Grade = outcome) -> list[Context]:
    """One context for each ratio that the question has passages for.

    Right passages are the question's own, or else its accepted answers; poisoned ones are its wrong answers. Where
    there are fewer than a context wants they come again.

    Args:
        question: with wrong answers.
        memory: the student's closed-book answer.
        mixing: what is made.
        grade: tells whether the memory is right.
    """
    right, wrong = question.passages or question.answers, question.wrong
    remembers = grade(question, memory) == "correct"
    found = []
    for ratio in mixing.ratios:
        count = round(ratio * mixing.passages)
        if count and not wrong:
            continue
        rng = np.random.default_rng(int(hash_of(f"{mixing.seed}/{question.id}/{ratio:g}"), 16))
        poisoned = _taken(wrong, count, rng)
        shown = [*_taken(right, mixing.passages - count, rng), *poisoned]
        order = rng.permutation(len(shown))
        found.append(Context(question, tuple(shown[i] for i in order), tuple(poisoned), memory, remembers))
    return found


def _taken(texts: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    order = rng.permutation(len(texts))
    return [texts[order[place % len(texts)]] for place in range(count)]


def shown(context: Context) -> str:
    """The plain prompt of rows and audits, without any warning."""
    passages = "\n".join(f"[{number}] {text}" for number, text in enumerate(context.passages, start=1))
    return f"{passages}\n\n{context.question.text}"
