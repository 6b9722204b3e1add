"""A chat model that says which of two answers is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from truing.chat.model import ChatModel
from truing.judging.presentation import Shown
from truing.judging.verdict import UNREAD, Opinion
from truing.judging.wording import RELATION, Wording


@dataclass(frozen=True)
class TextVerdicts:
    """See :class:`~truing.judging.comparer.Comparer`.

    Args:
        chat: the judge.
        wording: how it is asked.
    """

    chat: ChatModel
    wording: Wording = field(default_factory=lambda: Wording(RELATION))

    @property
    def name(self) -> str:
        return self.chat.name

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        """What the judge says of each.

        Raises:
            RunError: if the judge does not answer, or none of several replies can be read.
        """
        found: list[Opinion] = [UNREAD] * len(shown)
        # A reply names answers by their labels, so that questions with the same labels are read alike.
        for labels in dict.fromkeys(item.labels for item in shown):
            places = [place for place, item in enumerate(shown) if item.labels == labels]
            said = self.chat(
                [self.wording.question(shown[place]) for place in places],
                partial(self.wording.read, labels=labels),
            )
            for place, opinion in zip(places, said, strict=True):
                found[place] = UNREAD if opinion is None else opinion
        return found
