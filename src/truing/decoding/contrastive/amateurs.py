"""Whom an expert is compared with: another model, the same model on less of the prompt, or an average of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from truing.decoding.engine import Engine, Tokens
from truing.decoding.other_model import NamedEngine
from truing.decoding.task import Task
from truing.policies.growing import Rows
from truing.rewards.algebra import Prompt

ReadsName = Literal["prompt", "last-message", "nothing"]


class Side(Protocol):
    """One side of the comparison, with keys and values of its own, beside answers that grow."""

    @property
    def logits(self) -> Float[Tensor, "rows vocabulary"]:
        """Of the token that would come next."""

    def push(self, tokens: Int[Tensor, " rows"], going: Bool[Tensor, " rows"] | None = None) -> None:
        """Let every answer, or those that go on, grow by the token that was drawn."""


class Amateur(Protocol):
    """Begins the other side."""

    def __call__(self, task: Task) -> Side:
        """One empty answer to each prompt of a task."""


def _nothing(prompt: Prompt) -> Prompt:
    return "" if isinstance(prompt, str) else [{"role": "user", "content": ""}]


def _last_message(prompt: Prompt) -> Prompt:
    return prompt if isinstance(prompt, str) else list(prompt)[-1:]


READS: dict[ReadsName, Callable[[Prompt], Prompt]] = {
    "prompt": lambda prompt: prompt,
    "last-message": _last_message,
    "nothing": _nothing,
}
"""What the amateur reads of a prompt: all, its last message without system message and turns before, or nothing."""


@dataclass(frozen=True)
class Reader:
    """A model that reads a prompt, or less of it.

    Attributes:
        engine: the model, or who loads it; the one that answers if left out. Any policy can be plugged in here,
            e.g. one that was fitted to rejected answers, as DCD does with a projector of images.
        reads: from the prompt as it was given to what the amateur is to read.
    """

    engine: Engine | NamedEngine | None = None
    reads: Callable[[Prompt], Prompt] = READS["prompt"]

    def __call__(self, task: Task) -> Rows:
        """See :class:`Amateur`.

        Raises:
            ModelError: if a named model cannot be loaded, or has another vocabulary.
        """
        engine = task.engine if self.engine is None else self.engine
        engine = engine.beside(task.engine) if isinstance(engine, NamedEngine) else engine
        same = self.reads is READS["prompt"]
        # What a prompt transform put in front of a prompt is for both sides.
        encoded: Sequence[Tokens] = task.encoded if same else [engine.encode(self.reads(p)) for p in task.prompts]
        return engine.rows([ids or [min(engine.ends)] for ids in encoded], 1)


@dataclass
class _Averaged:
    sides: list[Side]

    @property
    def logits(self) -> Float[Tensor, "rows vocabulary"]:
        return torch.stack([side.logits for side in self.sides]).mean(0)

    def push(self, tokens: Int[Tensor, " rows"], going: Bool[Tensor, " rows"] | None = None) -> None:
        for side in self.sides:
            side.push(tokens, going)


@dataclass(frozen=True)
class Average:
    """Several amateurs whose logits are averaged, as debias sampling leaves an image out in two ways (2403.05262).

    Attributes:
        amateurs: two or more.
    """

    amateurs: tuple[Amateur, ...]

    def __call__(self, task: Task) -> Side:
        """See :class:`Amateur`."""
        return _Averaged([amateur(task) for amateur in self.amateurs])
