"""Judges of pairs as scorers: against a reference answer of the record, or every answer against every other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from truing.rewards.algebra import Columns, Prompt, Rewards
from truing.rewards.functions.rules import column, masked, missing


class PairJudge(Protocol):
    """Says which of two answers is better, and asks in both orders."""

    def compare(
        self, prompts: Sequence[Prompt], first: Sequence[str], second: Sequence[str]
    ) -> Float[Tensor, " pairs"]:
        """Above 0 where ``first[i]`` is the better answer to ``prompts[i]``; ``nan`` where the judge says nothing.

        Exchanging the answers changes the sign and nothing else.
        """


@dataclass(frozen=True)
class AgainstReference:
    """How much better an answer is than the one in a column of its record.

    Args:
        judge: compares.
        name: of the objective.
        column: holds the other answer; answers of records without one are masked.
    """

    judge: PairJudge
    name: str
    column: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def __call__(
        self, prompts: Sequence[Prompt], completions: Sequence[str], columns: Columns | None = None
    ) -> Rewards:
        others = column(columns, self.column, len(completions), self.name)
        why = {row: "it is empty" for row, other in enumerate(others) if missing(other)}
        rows = [row for row in range(len(completions)) if row not in why]
        found = self.judge.compare(
            [prompts[row] for row in rows], [completions[row] for row in rows], [str(others[row]) for row in rows]
        )
        values = torch.zeros(len(completions), dtype=torch.float64)
        values[rows] = found.double()
        known = masked(values.nan_to_num(), self.name, self.column, why)
        return Rewards.of(values, self.names, known.valid & ~values.isnan()[:, None])


@dataclass(frozen=True)
class Tables:
    """A judge of pairs as a pair scorer: the table of all answers to a prompt."""

    judge: PairJudge

    def __call__(self, prompt: Prompt, completions: Sequence[str]) -> Float[Tensor, "m m"]:
        """See :class:`~truing.rewards.algebra.PairScorer`; ``nan`` where the judge says nothing."""
        table = torch.zeros(len(completions), len(completions), dtype=torch.float64)
        places = list(combinations(range(len(completions)), 2))
        if not places:
            return table
        left, right = ([completions[place] for place in side] for side in zip(*places, strict=True))
        found = self.judge.compare([prompt] * len(places), left, right).double()
        rows, others = torch.tensor(places).unbind(1)
        table[rows, others], table[others, rows] = found, -found
        return table
