"""Judges that say what they are told, for tests of protocols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from truing.judging.presentation import Pair, Shown
from truing.judging.verdict import Opinion


@dataclass
class Saying:
    """A judge that says what a function says of what it is shown, and keeps what it was shown."""

    say: Callable[[Shown], float | None]
    name: str = "saying"
    seen: list[Shown] = field(default_factory=list)

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        self.seen += shown
        return [Opinion(self.say(item)) for item in shown]


@dataclass
class Scripted:
    """A chat model whose replies are a function of the conversation."""

    reply: Callable[[Sequence[dict[str, str]]], str]
    name: str = "scripted"
    asked: list[Sequence[dict[str, str]]] = field(default_factory=list)

    def __call__(self, questions, read):
        self.asked += questions
        return [read(self.reply(question)) for question in questions]


def longer(item: Shown) -> float:
    """The longer answer is better."""
    gap = len(item.first) - len(item.second)
    return 0.5 if gap == 0 else float(gap > 0)


PAIRS = [Pair("q1", "long answer", "short"), Pair("q2", "tiny", "a longer one"), Pair("q3", "same", "same")]
