"""What a decoding method is given: prompts, a model, how to draw from it, and rewards that say what is good."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from truing.decoding.answers import Candidate, Cost, Decoded
from truing.decoding.engine import Engine, Tokens
from truing.errors import DataError, RecipeError
from truing.policies.generation import Sampling
from truing.rewards.algebra import Prompt
from truing.rewards.pipeline import Pipeline

Progress = Callable[[int, int], None]


class Judging(Protocol):
    """From numbers of prompts and answers to one reward each; ``nan`` where it is not known."""

    def __call__(self, items: Sequence[int], texts: Sequence[str]) -> Float[Tensor, " answers"]: ...


@dataclass(frozen=True)
class FromPipeline:
    """Rewards of a recipe.

    Args:
        pipeline: scorers, transforms and a combiner.
        prompts: that the answers are to, as they were given.
        columns: of the records of these prompts.
    """

    pipeline: Pipeline
    prompts: Sequence[Prompt]
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        pipeline: Pipeline,
        prompts: Sequence[Prompt],
        contexts: Sequence[Mapping[str, Any]],
        where: str = "rewards",
    ) -> FromPipeline:
        """Rewards that read columns of the prompts' records.

        Args:
            pipeline: scorers, transforms and a combiner.
            prompts: as they were given.
            contexts: columns of their records, by name.
            where: key of the rewards, for error messages.

        Raises:
            DataError: if no record has a column that is read.
        """
        known = sorted({name for context in contexts for name in context})
        for name in pipeline.columns:
            if prompts and name not in known:
                raise DataError(
                    f"a reward reads the column {name!r}, which the prompts do not have",
                    where=where,
                    allowed=", ".join(known) or "none",
                    fix="name another one, e.g. {name: exact-match, column: completion}",
                )
        return cls(pipeline, prompts, {name: [one.get(name) for one in contexts] for name in pipeline.columns})

    def __call__(self, items: Sequence[int], texts: Sequence[str]) -> Float[Tensor, " answers"]:
        columns = {name: [values[item] for item in items] for name, values in self.columns.items()}
        found = self.pipeline.judge([self.prompts[item] for item in items], list(texts), columns=columns)
        return found.reward.detach().double().cpu()

    def vector(
        self, items: Sequence[int], texts: Sequence[str], names: Sequence[str]
    ) -> Float[Tensor, "answers objectives"]:
        """What each objective says, before transforms.

        Raises:
            RecipeError: if an objective is not among the rewards.
        """
        for name in names:
            if name not in self.pipeline.names:
                raise RecipeError(
                    f"there is no objective {name!r}",
                    where="decode.target",
                    allowed=", ".join(self.pipeline.names),
                )
        if not items:
            return torch.zeros(0, len(names), dtype=torch.float64)
        columns = {name: [values[item] for item in items] for name, values in self.columns.items()}
        raw = self.pipeline.score([self.prompts[item] for item in items], list(texts), columns)
        return raw.only(list(names)).values.detach().double().cpu()


Vector = Callable[[Sequence[int], Sequence[str], Sequence[str]], Float[Tensor, "answers objectives"]]
"""From numbers of prompts, answers and names of objectives to a number for each."""


class Worth:
    """Rewards that remember: a text is looked at once for each prompt.

    Args:
        judging: where they come from.
        vector: the objectives one by one, where there are several.
    """

    def __init__(self, judging: Judging, vector: Vector | None = None) -> None:
        self.judging = judging
        self._vector = vector
        self.calls = 0
        self._known: dict[tuple[int, str], float] = {}

    @property
    def vector(self) -> Vector | None:
        """The objectives one by one; every call counts."""
        return None if self._vector is None else self._counted

    def _counted(
        self, items: Sequence[int], texts: Sequence[str], names: Sequence[str]
    ) -> Float[Tensor, "answers objectives"]:
        if self._vector is None:
            raise TypeError("there are no objectives one by one")
        self.calls += len(set(zip(items, texts, strict=True)))
        return self._vector(items, texts, names)

    def __call__(self, items: Sequence[int], texts: Sequence[str]) -> Float[Tensor, " answers"]:
        """The reward of ``texts[i]`` as an answer to prompt ``items[i]``; −∞ where it is not known."""
        asked = list(dict.fromkeys((item, text) for item, text in zip(items, texts, strict=True)))
        new = [pair for pair in asked if pair not in self._known]
        if new:
            self.calls += len(new)
            values = self.judging([item for item, _ in new], [text for _, text in new])
            self._known.update(zip(new, values.masked_fill(values.isnan(), -torch.inf).tolist(), strict=True))
        return torch.tensor([self._known[pair] for pair in zip(items, texts, strict=True)], dtype=torch.float64)


@dataclass
class Task:
    """Prompts that wait for answers.

    Attributes:
        engine: the model.
        prompts: as they were given; rewards see these.
        encoded: as the model reads them, which prompt transforms may have changed.
        sampling: how answers are drawn.
        worth: what is good; ``None`` where nothing says so.
        trace: whether methods keep a trace.
        progress: told of (prompts done, prompts in all).
        cut: from the number of a prompt and a text to the part of it that is the answer, where a change of prompts
            gives an answer an end of its own.
        told: the tokens of a prompt with something said before it; ``None`` where prompts are only known as tokens.
        contexts: columns of the prompts' records.
        front: control code that stands in front of every prompt, as token ids that only the answering model knows.
        opposite: code for the other kind of answers, in its place.
    """

    engine: Engine
    prompts: Sequence[Prompt]
    encoded: Sequence[Tokens]
    sampling: Sampling
    worth: Worth | None = None
    trace: bool = False
    progress: Progress | None = None
    cut: Callable[[int, str], str] | None = None
    told: Callable[[int, str], Tokens] | None = None
    contexts: Sequence[Mapping[str, Any]] = ()
    front: Sequence[int] = ()
    opposite: Sequence[int] = ()
    answer_tokens: int = 0

    def plain(self, item: int) -> Tokens:
        """A prompt as another model reads it: without a control code."""
        return list(self.encoded[item][len(self.front) :])

    def text(self, item: int, tokens: Sequence[int]) -> str:
        """An answer to a prompt as text, up to its end."""
        found = self.engine.text(tokens)
        return found if self.cut is None else self.cut(item, found)

    def texts(self, items: Sequence[int], answers: Sequence[Sequence[int]]) -> list[str]:
        """Answers to the prompts of these numbers as texts."""
        return [self.text(item, tokens) for item, tokens in zip(items, answers, strict=True)]

    def valued(self, needed_by: str) -> Worth:
        """The rewards.

        Raises:
            RecipeError: if there are none.
        """
        if self.worth is None:
            raise RecipeError(
                f"{needed_by} has nothing to go by",
                where="rewards",
                allowed="one reward or several",
                fix="add e.g. `rewards: [sentiment]`; `truing methods reward` lists them",
            )
        return self.worth

    def candidates(self, item: int, answers: Sequence[Tokens], rewards: Sequence[float]) -> list[Candidate]:
        """Answers to one prompt, with what they are worth."""
        return [
            Candidate(
                self.text(item, tokens),
                tuple(tokens),
                None if value == -torch.inf else value,
                bool(tokens) and tokens[-1] in self.engine.ends,
            )
            for tokens, value in zip(answers, rewards, strict=True)
        ]

    def cost(self) -> Cost:
        """What was spent so far."""
        calls = 0 if self.worth is None else self.worth.calls
        return Cost(self.engine.work.model_tokens, self.answer_tokens, calls)


class Decoder(Protocol):
    """A way to decode."""

    def __call__(self, task: Task) -> list[Decoded]:
        """Answers to the prompts of a task, in order."""
