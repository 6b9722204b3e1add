"""Replies of a model on this machine, kept on disk as those of an endpoint are: what was stopped goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from truing.chat.model import ChatModel
from truing.chat.on_device import LocalChat
from truing.policies.fingerprint import of_parameters
from truing.rewards.judges.endpoint import Messages
from truing.rewards.judges.reply_cache import ReplyCache

Read = TypeVar("Read")


@dataclass(frozen=True)
class KeptChat:
    """See :class:`~truing.chat.model.ChatModel`.

    Args:
        model: whose replies are kept; other weights under the same name are another model.
        cache: where.
        part: conversations that are answered, and kept, at a time.
    """

    model: LocalChat
    cache: ReplyCache
    part: int = 16

    @property
    def name(self) -> str:
        return self.model.name

    @cached_property
    def _weights(self) -> str:
        return of_parameters(self.model.policy.inner)

    def __call__(self, questions: Sequence[Messages], read: Callable[[str], Read | None]) -> list[Read | None]:
        """What the model says to each conversation, the same as without a cache at temperature 0."""
        sampling = asdict(self.model.sampling)
        keys = [self.cache.key(self._weights, question, sampling) for question in questions]
        said = {key: reply for key in keys if (reply := self.cache.get(key)) is not None}
        open_ = list(
            {key: question for key, question in zip(keys, questions, strict=True) if key not in said}.items()
        )
        for start in range(0, len(open_), self.part):
            part = open_[start : start + self.part]
            for (key, _), reply in zip(part, self.model([question for _, question in part], str), strict=True):
                said[key] = reply or ""
                self.cache.put(key, said[key])
        return [read(said[key]) for key in keys]


def resumable(model: ChatModel, folder: Path) -> ChatModel:
    """The same model with replies kept in a folder; one behind an endpoint keeps them anyway.

    Args:
        model: any.
        folder: made with the first reply.
    """
    return KeptChat(model, ReplyCache(folder)) if isinstance(model, LocalChat) else model
