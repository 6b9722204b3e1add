"""What judges: a scorer gives numbers to one answer, a pair scorer compares answers to one prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import DataError
from truing.rewards.algebra.context import Prompt, prompt_key
from truing.rewards.algebra.values import Rewards
from truing.rewards.linear_text import LinearTextScorer

Columns = Mapping[str, Sequence[Any]]
"""Further columns of the records that answers belong to, by name, one value an answer; ``None`` is not known."""


@runtime_checkable
class Scorer(Protocol):
    """From prompts and their answers to K numbers each.

    What an answer gets does not depend on the other answers of the call.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """What each of the K numbers measures."""

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        """Judge ``completions[i]`` as an answer to ``prompts[i]``."""


@runtime_checkable
class RecordScorer(Protocol):
    """A scorer that also reads columns of the records, e.g. a reference answer."""

    @property
    def names(self) -> tuple[str, ...]:
        """What each of the K numbers measures."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that it reads."""

    def __call__(
        self, prompts: Sequence[Prompt], completions: Sequence[str], columns: Columns | None = None
    ) -> Rewards:
        """Judge ``completions[i]`` as an answer to ``prompts[i]``; what a record lacks masks its answers."""


def score(
    scorer: Scorer | RecordScorer,
    prompts: Sequence[Prompt],
    completions: Sequence[str],
    columns: Columns | None = None,
) -> Rewards:
    """Ask a scorer, with columns if it reads any.

    Raises:
        DataError: if it reads a column that is not there.
    """
    if isinstance(scorer, RecordScorer):
        return scorer(prompts, completions, columns)
    return scorer(prompts, completions)


@runtime_checkable
class PairScorer(Protocol):
    """From a prompt and m answers to a table ``s`` with ``s = −sᵀ``."""

    def __call__(self, prompt: Prompt, completions: Sequence[str]) -> Float[Tensor, "m m"]:
        """``s[i, j]`` > 0 says that answer i is preferred to answer j; logits of a win, where it was trained so."""


@dataclass(frozen=True)
class AnswerScorer:
    """A linear scorer of texts as a scorer of answers; it looks at the answer alone."""

    scorer: LinearTextScorer

    @property
    def names(self) -> tuple[str, ...]:
        return (self.scorer.name,)

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        return Rewards.of(torch.from_numpy(self.scorer.scores(completions)), self.names)


@dataclass(frozen=True)
class Differences:
    """A scorer as a pair scorer: s_ij = R_i − R_j, which has no cycles.

    Args:
        scorer: judges the answers.
        objective: which of its numbers; may be left out where it has one.
    """

    scorer: Scorer
    objective: str | None = None

    def __call__(self, prompt: Prompt, completions: Sequence[str]) -> Float[Tensor, "m m"]:
        rewards = self.scorer([prompt] * len(completions), completions)
        if self.objective is None and len(rewards.names) > 1:
            raise DataError(
                "answers can be compared by one objective at a time",
                allowed=", ".join(rewards.names),
                fix="name one of them",
            )
        column = rewards.column(self.objective or rewards.names[0])
        if column.isnan().any():
            raise DataError(
                f"answer {int(column.isnan().nonzero()[0])} was not scored, so it cannot be compared",
                fix="leave it out",
            )
        return column[:, None] - column[None, :]


@dataclass(frozen=True)
class AgainstPopulation:
    """A pair scorer as a scorer: the mean of s over opponents, which are the same for every answer to a prompt.

    Args:
        pairs: compares two answers.
        opponents: completions to meet, by :func:`~truing.rewards.algebra.context.prompt_key`.
        name: of the objective.
    """

    pairs: PairScorer
    opponents: dict[str, Sequence[str]]
    name: str = "against population"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        means = []
        for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
            others = self.opponents.get(prompt_key(prompt))
            if not others:
                raise DataError("the population has no answer to this prompt", where=f"answer {row}")
            table = skew(self.pairs(prompt, [completion, *others]))
            means.append(table[0, 1:].mean())
        return Rewards.of(torch.stack(means), self.names)


def skew(table: Tensor) -> Float[Tensor, "m m"]:
    """The table, if it says of i against j the opposite of j against i.

    Raises:
        DataError: if not; names the two answers.
    """
    apart = (table + table.T).abs()
    tolerance = 1e-5 * table.abs().max().clamp(min=1.0)
    if table.ndim != 2 or apart.max() > tolerance:
        i, j = divmod(int(apart.argmax()), len(table))
        raise DataError(
            f"a table of comparisons has s[{i}, {j}] = {float(table[i, j]):g} and s[{j}, {i}] = "
            f"{float(table[j, i]):g}",
            allowed="s[i, j] = −s[j, i], and 0 of an answer against itself",
        )
    return table
