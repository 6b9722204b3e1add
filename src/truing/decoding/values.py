"""What an unfinished answer is worth: the reward of what it is so far, or of answers that go on from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from truing.decoding.engine import Tokens
from truing.decoding.rolling import finish
from truing.decoding.task import Task
from truing.policies.growing import Rows


@dataclass(frozen=True)
class OfTheText:
    """The reward of the text so far (ARGS, 2402.01694)."""

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
    """Copies of answers that can go on, perhaps by another model."""

    def __call__(self, task: Task, rows: Rows, items: Sequence[int], m: int) -> Begun:
        """Copies of each answer, m beside each other."""


@dataclass(frozen=True)
class BySelf:
    """The model goes on itself."""

    def __call__(self, task: Task, rows: Rows, items: Sequence[int], m: int) -> Begun:
        copies = rows.take([row for row in range(len(rows.tokens)) for _ in range(m)])
        return Begun([[]] * len(copies.tokens), copies)


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
        ends, limit = task.engine.ends, task.sampling.max_new_tokens
        begun = self.continuing(task, rows, items, self.m)
        each = [item for item in items for _ in range(self.m)]
        most = [limit if self.ahead is None else min(limit, len(tokens) + self.ahead) for tokens in begun.tokens]
        room = [top - len(head) for top, head in zip(most, begun.heads, strict=True)]
        # Seeded by how far the answers are, so that a value does not depend on what was valued before.
        generator = torch.Generator().manual_seed(task.sampling.seed + sum(map(len, rows.tokens)))
        sampling = replace(task.sampling, temperature=0.0) if self.greedy else task.sampling
        task.answer_tokens += finish(begun.rows, ends, sampling, generator, room)
        answers = begun.tokens
        rewards = worth(each, task.texts(each, answers)).reshape(-1, self.m)
        return self.merge(rewards, task, answers, each)
