"""Whom an expert is compared with: another model, the same model on less of the prompt, or an average of several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from truing.decoding.engine import Engine, Tokens
from truing.decoding.other_model import NamedEngine
from truing.decoding.task import Task
from truing.errors import RecipeError
from truing.policies.growing import Rows
from truing.rewards.algebra import Prompt

PartName = Literal["prompt", "last-message", "nothing"]
ReadsName = Literal["prompt", "last-message", "nothing", "opposite-code"]


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


READS: dict[PartName, Callable[[Prompt], Prompt]] = {
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
        engine = self._engine(task)
        return engine.rows([ids or [min(engine.ends)] for ids in self._encoded(task, engine)], 1)

    def alike(self, task: Task) -> list[int]:
        """Numbers of the prompts of which the same model reads the same as the expert."""
        engine = self._engine(task)
        if engine is not task.engine:
            return []
        read = self._encoded(task, engine)
        return [item for item, ids in enumerate(read) if list(ids) == list(task.encoded[item])]

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        self._engine(task)

    def _engine(self, task: Task) -> Engine:
        engine = task.engine if self.engine is None else self.engine
        return engine.beside(task.engine) if isinstance(engine, NamedEngine) else engine

    def _encoded(self, task: Task, engine: Engine) -> list[Tokens]:
        # A control code stands in front of both sides, but only the answering model knows it.
        front = task.front if engine is task.engine else ()
        if self.reads is READS["prompt"]:
            # What a prompt transform put in front of a prompt is for both sides, too.
            return [[*front, *task.plain(item)] for item in range(len(task.encoded))]
        return [[*front, *engine.encode(self.reads(prompt))] for prompt in task.prompts]


@dataclass(frozen=True)
class OppositeCode:
    """The model that answers, under the control code for the other kind of answers (MEET, 2310.00819)."""

    def __call__(self, task: Task) -> Rows:
        """See :class:`Amateur`."""
        self.check(task)
        return task.engine.rows([[*task.opposite, *task.plain(item)] for item in range(len(task.encoded))], 1)

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        if not task.opposite:
            raise RecipeError(
                "there are no control codes, so that there is no opposite one",
                where="decode.reads",
                allowed="opposite-code with codes of a run whose objective is meet",
                fix="e.g. codes=runs/meet/codes.safetensors, with model=runs/meet/model",
            )


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
