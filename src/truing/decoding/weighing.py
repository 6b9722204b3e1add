"""A step of a search: answers with one token more, of which a few go on, in passes of bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.decoding.foresight import BoundedValue, Most
from truing.decoding.task import Task
from truing.decoding.values import parts
from truing.policies.growing import Rows


class TokenValue(Protocol):
    """What answers are worth that go on with a token."""

    def __call__(self, task: Task, rows: Rows, items: Sequence[int]) -> Float[Tensor, " rows"]:
        """The value of each answer, whose last token is the one that is weighed.

        Args:
            task: prompts, model and rewards.
            rows: answers; not to be changed.
            items: number of each answer's prompt in the task.
        """


@dataclass(frozen=True)
class Weighed:
    """Answers with one token more, k of each.

    Attributes:
        values: of each.
        items: number of the prompt of each.
        before: answers without the token.
        tokens: the token of each.
        grown: all of them, where one pass held them.
    """

    values: Float[Tensor, " grown"]
    items: list[int]
    before: Rows
    tokens: Int[Tensor, " grown"]
    grown: Rows | None

    def answer(self, place: int) -> list[int]:
        """One of them, as tokens."""
        return [*self.before.tokens[self._row(place)], int(self.tokens[place])]

    def take(self, places: Sequence[int]) -> Rows:
        """Those that go on. Where not all were held at once, their tokens are run again."""
        if self.grown is not None:
            return self.grown.take(places)
        found = self.before.take([self._row(place) for place in places])
        if places:
            found.push(self.tokens[list(places)])
        return found

    def _row(self, place: int) -> int:
        return place // (len(self.items) // len(self.before.tokens))


def tried(task: Task, k: int, value: object) -> Most:
    """What valuing k tokens at every step of the longest answer draws at most, for one prompt."""
    steps = range(1, task.sampling.max_new_tokens + 1)
    own = Most(tokens=k * len(steps))
    if not isinstance(value, BoundedValue):
        return own
    return sum((value.most(task, at) * k for at in steps), start=own)


def weighed(
    task: Task, rows: Rows, items: Sequence[int], tokens: Int[Tensor, "rows k"], value: TokenValue | None
) -> Weighed:
    """Value each of k tokens that each answer may go on with; at most ``sampling.batch`` answers are held at once.

    Args:
        task: what is decoded.
        rows: answers so far.
        items: number of the prompt of each.
        tokens: that are weighed.
        value: of an answer with one of them; ``None`` for 0.
    """
    width = tokens.shape[1]
    each = [row for row in range(len(items)) for _ in range(width)]
    own, flat = [items[row] for row in each], tokens.flatten()
    task.answer_tokens += len(each)
    if value is None:
        return Weighed(torch.zeros(len(each), dtype=torch.float64), own, rows, flat, None)
    found, passes = [], parts(len(each), task.sampling.batch)
    for part in passes:
        grown = rows.take(each[part.start : part.stop])
        grown.push(flat[part.start : part.stop])
        found.append(value(task, grown, own[part.start : part.stop]))
    return Weighed(torch.cat(found), own, rows, flat, grown if len(passes) == 1 else None)
