"""The one thing that judges, writers and rewriters of prompts are: a model that is asked and replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, Self, TypeVar

from truing.rewards.judges.endpoint import Messages

Read = TypeVar("Read")


class ChatModel(Protocol):
    """Answers conversations. :class:`truing.rewards.judges.asking.Asking` is one behind an endpoint, with a cache;
    :class:`truing.chat.LocalChat` one on this machine.
    """

    @property
    def name(self) -> str:
        """Of the model, for records and to notice a judge of its own answers."""

    def __call__(self, questions: Sequence[Messages], read: Callable[[str], Read | None]) -> list[Read | None]:
        """What the model says to each conversation.

        Args:
            questions: conversations, each a list of messages with ``role`` and ``content``.
            read: from a reply to what it says, ``None`` if it says nothing of use; ``str`` keeps the reply.

        Returns:
            For each conversation what was read; ``None`` where no reply could be read.
        """


class SeededChat(ChatModel, Protocol):
    """A chat model that can be asked for another draw."""

    def seeded(self, seed: int) -> Self:
        """The same model with another seed; at temperature 0 it says the same."""
