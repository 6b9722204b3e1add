"""Who chooses among candidates: a chat model, or the odds of a local model's letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, Protocol

from truing.chat.model import ChatModel
from truing.judging.entities.questions import Question
from truing.rewards.judges.local import letter_tree

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy


class Chooser(Protocol):
    """Whoever chooses."""

    @property
    def name(self) -> str:
        """Of the judge."""

    def __call__(self, questions: Sequence[Question]) -> list[int | None]:
        """Place of the chosen option for each, −1 for none of them; ``None`` where the reply names no option."""


@dataclass(frozen=True)
class TextChooser:
    """See :class:`Chooser`.

    Args:
        chat: the judge.
    """

    chat: ChatModel

    @property
    def name(self) -> str:
        return self.chat.name

    def __call__(self, questions: Sequence[Question]) -> list[int | None]:
        """What the judge says.

        Raises:
            RunError: if it does not answer, or none of several replies can be read.
        """
        found: list[int | None] = [None] * len(questions)
        # What a reply may say depends on the number of options alone.
        for count in dict.fromkeys(len(question.options) for question in questions):
            places = [place for place, question in enumerate(questions) if len(question.options) == count]
            said = self.chat([questions[place].messages() for place in places], questions[places[0]].read)
            for place, choice in zip(places, said, strict=True):
                found[place] = choice
        return found


@dataclass(frozen=True)
class LetterChooser:
    """See :class:`Chooser`; the letter that the model finds most likely.

    Args:
        policy: the judge, with its tokenizer.
        name: of the judge.
    """

    policy: CausalPolicy
    name: str = "local model"

    def __call__(self, questions: Sequence[Question]) -> list[int | None]:
        """The most likely letters.

        Raises:
            ModelError: if the tokenizer does not write all letters as tokens of their own.
        """
        trees = []
        for question in questions:
            letters = tuple(ascii_uppercase[: len(question.options)])
            asked = f"{question.text(letters)}\n\nWhich candidate is the same as the entity?"
            trees.append(letter_tree(self.policy, asked, letters, lead="It is candidate"))
        if not trees:
            return []
        with self.policy.evaluating():
            scores = self.policy.score_all(trees)
        logps = iter(scores.total(scores.token_logps).tolist())
        rows = [[next(logps) for _ in question.options] for question in questions]
        return [row.index(max(row)) for row in rows]
