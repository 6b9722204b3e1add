"""What an unfinished answer is worth: the reward of what it is so far, or of answers that go on from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from truing.decoding.engine import Tokens
from truing.decoding.foresight import Most, check
from truing.decoding.rolling import finish, luck_after
from truing.decoding.task import Task
from truing.policies.growing import Rows


@dataclass(frozen=True)
class OfTheText:
    """The reward of the text so far (ARGS, 2402.01694)."""

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        task.valued("decoding by rewards")

    def most(self, task: Task, at: int) -> Most:
        """See :class:`~truing.decoding.foresight.BoundedValue`."""
        return Most(rewards=1)

    def __call__(self, task: Task, rows: Rows, items: Sequence[int]) -> Float[Tensor, " rows"]:
        return task.valued("decoding by rewards")(items, task.texts(items, rows.tokens))


class Merge(Protocol):
    """From the rewards of m continuations to one value."""

    def __call__(
        self, rewards: Float[Tensor, "rows m"], task: Task, answers: Sequence[Tokens], items: Sequence[int]
    ) -> Float[Tensor, " rows"]:
        """Of each row.

        Args:
            rewards: of its continuations.
            task: what is decoded.
            answers: all continuations with what they go on from, m beside each other.
            items: number of the prompt of each of them.
        """


@dataclass(frozen=True)
class Mean:
    """E[r]: the value of going on as the model does."""

    def __call__(
        self, rewards: Float[Tensor, "rows m"], task: Task, answers: Sequence[Tokens], items: Sequence[int]
    ) -> Float[Tensor, " rows"]:
        return rewards.mean(1)


@dataclass(frozen=True)
class Soft:
    """β log E[e^(r/β)]: with it the tilt by tokens is the tilt of whole answers, exactly.

    Args:
        beta: in the reward's unit.
    """

    beta: float

    def __call__(
        self, rewards: Float[Tensor, "rows m"], task: Task, answers: Sequence[Tokens], items: Sequence[int]
    ) -> Float[Tensor, " rows"]:
        count = torch.tensor(rewards.shape[1], dtype=rewards.dtype)
        return self.beta * ((rewards / self.beta).logsumexp(1) - count.log())


@dataclass(frozen=True)
class Begun:
    """Answers that can go on.

    Attributes:
        heads: tokens of each that stand before those of ``rows``.
        rows: what grows.
    """

    heads: Sequence[Tokens]
    rows: Rows

    @property
    def tokens(self) -> list[Tokens]:
        """Of each answer as a whole."""
        return [[*head, *tokens] for head, tokens in zip(self.heads, self.rows.tokens, strict=True)]


class Continuing(Protocol):
    """Answers that can go on, perhaps by another model."""

    def __call__(self, task: Task, rows: Rows, items: Sequence[int]) -> Begun:
        """Each answer once; what is copied from it goes on."""


@dataclass(frozen=True)
class BySelf:
    """The model goes on itself."""

    def __call__(self, task: Task, rows: Rows, items: Sequence[int]) -> Begun:
        return Begun([[]] * len(rows.tokens), rows)


@dataclass(frozen=True)
class OfContinuations:
    """The reward of m answers that go on from here.

    Args:
        m: continuations of each answer; an answer that has ended is its own.
        merge: makes one value of their rewards.
        ahead: tokens that they may grow by; ``None`` up to the end.
        greedy: whether they take the likeliest tokens, rather than draw as the answers are drawn.
        continuing: who goes on.
    """

    m: int
    merge: Merge
    ahead: int | None = None
    greedy: bool = False
    continuing: Continuing = BySelf()

    def __call__(self, task: Task, rows: Rows, items: Sequence[int]) -> Float[Tensor, " rows"]:
        worth = task.valued("decoding by rewards")
        begun = self.continuing(task, rows, items)
        luck = self._luck(task, begun.tokens, items)
        answers: list[Tokens] = []
        for part in parts(len(items) * self.m, task.sampling.batch):
            answers += self._gone_on(
                task, begun, [place // self.m for place in part], luck[part.start : part.stop]
            )
        each = [item for item in items for _ in range(self.m)]
        rewards = worth(each, task.texts(each, answers)).reshape(-1, self.m)
        return self.merge(rewards, task, answers, each)

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        task.valued("decoding by rewards")
        check(task, self.merge, self.continuing)

    def most(self, task: Task, at: int) -> Most:
        """See :class:`~truing.decoding.foresight.BoundedValue`."""
        room = task.sampling.max_new_tokens - at
        room = room if self.ahead is None else min(room, self.ahead)
        return Most(self.m if room else 0, self.m * room, self.m)

    def _luck(
        self, task: Task, answers: Sequence[Tokens], items: Sequence[int]
    ) -> Float[Tensor, "continuations steps"]:
        limit = task.sampling.max_new_tokens
        steps = limit if self.ahead is None else min(limit, self.ahead)
        if self.greedy or task.sampling.temperature == 0:
            return torch.zeros(len(answers) * self.m, steps, dtype=torch.float64)
        drawn = [
            luck_after(task.sampling.seed, item, tokens, self.m * steps).reshape(self.m, steps)
            for item, tokens in zip(items, answers, strict=True)
        ]
        return torch.cat(drawn)

    def _gone_on(
        self, task: Task, begun: Begun, places: Sequence[int], luck: Float[Tensor, "continuations steps"]
    ) -> list[Tokens]:
        limit = task.sampling.max_new_tokens
        grown = Begun([begun.heads[place] for place in places], begun.rows.take(places))
        most = [limit if self.ahead is None else min(limit, len(tokens) + self.ahead) for tokens in grown.tokens]
        room = [top - len(head) for top, head in zip(most, grown.heads, strict=True)]
        sampling = replace(task.sampling, temperature=0.0) if self.greedy else task.sampling
        task.answer_tokens += finish(grown.rows, task.engine.ends, sampling, luck, room)
        return grown.tokens


def parts(count: int, size: int) -> list[range]:
    """0 to ``count`` in parts of at most ``size``."""
    return [range(start, min(count, start + size)) for start in range(0, count, size)]
