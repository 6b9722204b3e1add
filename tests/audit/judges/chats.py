"""Chat models for tests: they say what a function makes of the conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Scripted:
    """A chat model whose replies a function gives; it remembers what it was asked."""

    reply: Callable[[str], str]
    name: str = "scripted"
    asked: list[str] = field(default_factory=list)

    def __call__(self, questions: Sequence, read: Callable) -> list:
        texts = ["\n\n".join(message["content"] for message in question) for question in questions]
        self.asked += texts
        return [read(self.reply(text)) for text in texts]
