"""Answers that come and go while others grow: prompts join, answers leave, and all grow in one pass of the model.

Keys of prompts are padded to the longest beside them. Answers therefore stand in groups of like size: a long prompt
among short ones does not make the short ones long, and who joins a large group does not have all of it copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from truing.policies.decoding import forward
from truing.policies.growing import PlainRows, Rows, SharedRows
from truing.policies.ragged import Ragged


class Joining(Protocol):
    """Answers that grow, to which others join."""

    @property
    def logits(self) -> Float[Tensor, "rows vocabulary"]:
        """Of the token that would come next."""

    def push(self, tokens: Int[Tensor, " rows"]) -> None:
        """Let every answer grow by a token."""

    def join(self, other: Rows) -> None:
        """Let the answers of ``other`` stand behind these; ``other`` is not to be used again."""

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all answers but these, at least one, which stand in this order from now on."""


def joining(rows: Rows) -> Joining:
    """Answers to which others of the same model may join; ``rows`` are not to be used again.

    Raises:
        TypeError: if they are not those of a language model.
    """
    if isinstance(rows, SharedRows):
        return Joined(rows)
    if isinstance(rows, PlainRows):
        return rows
    raise TypeError(f"nothing can join {type(rows).__name__}")


class _Beside:
    """Memories of several groups, for a pass over the rows of all."""

    def __init__(self, parts: Sequence[Ragged]) -> None:
        self.parts = parts
        self.sizes = [len(part.prompt) for part in parts]

    def attend(
        self,
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scaling: float | None,
        softcap: float | None,
        sliding_window: int | None,
    ) -> Tensor | None:
        """See :class:`~truing.policies.attention.Memory`."""
        split = (states.split(self.sizes) for states in (query, key, value))
        found = [
            part.attend(module, asking, keys, values, scaling, softcap, sliding_window)
            for part, asking, keys, values in zip(self.parts, *split, strict=True)
        ]
        return torch.cat([part for part in found if part is not None])


class Joined:
    """Groups of rows that grow in one pass. Log-probabilities are those that each row has by itself.

    Args:
        rows: the first.
    """

    def __init__(self, rows: SharedRows) -> None:
        self.groups = [rows]
        self._places = [torch.arange(len(rows.tokens))]

    @property
    def tokens(self) -> list[list[int]]:
        """Of each answer."""
        grouped = [tokens for group in self.groups for tokens in group.tokens]
        return [grouped[place] for place in torch.cat(self._places).argsort().tolist()]

    @property
    def logits(self) -> Float[Tensor, "rows vocabulary"]:
        """Of the token that would come next."""
        grouped = torch.cat([group.logits for group in self.groups])
        return grouped[torch.cat(self._places).argsort().to(grouped.device)]

    @torch.no_grad()
    def push(self, tokens: Int[Tensor, " rows"]) -> None:
        """Let every answer grow by a token."""
        first, parts = self.groups[0], [group.state for group in self.groups]
        ordered = tokens[torch.cat(self._places).to(tokens.device)]
        for part in parts:
            part.advance(torch.ones_like(part.place, dtype=torch.bool))
        first.work.add(len(tokens))
        positions = torch.cat([part.positions for part in parts])
        memory = _Beside(parts)
        logits = forward(first.policy, memory, ordered[:, None], positions)[:, -1].float()
        for group, found, new in zip(
            self.groups, logits.split(memory.sizes), ordered.cpu().split(memory.sizes), strict=True
        ):
            group.state.settle()
            group.logits = found
            for row, token in zip(group.tokens, new.tolist(), strict=True):
                row.append(token)

    def join(self, other: Rows) -> None:
        """Let the answers of ``other`` stand behind these; ``other`` is not to be used again."""
        if not isinstance(other, SharedRows):
            raise TypeError("rows join rows of the same kind")
        count = sum(map(len, self._places))
        self.groups.append(other)
        self._places.append(torch.arange(count, count + len(other.tokens)))
        while (pair := self._alike()) is not None:
            first, second = pair
            self.groups[first].join(self.groups.pop(second))
            self._places[first] = torch.cat([self._places[first], self._places.pop(second)])

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all answers but these, at least one, which stand in this order from now on."""
        place = torch.full((sum(map(len, self._places)),), -1)
        place[list(rows)] = torch.arange(len(rows))
        groups, places = [], []
        for group, before in zip(self.groups, self._places, strict=True):
            going = (place[before] >= 0).nonzero()[:, 0]
            if not len(going):
                continue
            if len(going) < len(before):
                group.keep(going.tolist())
            groups.append(group)
            places.append(place[before[going]])
        self.groups, self._places = groups, places

    def _alike(self) -> tuple[int, int] | None:
        """Two groups that become one: as long up to a factor of two, and about as many.

        So there are few groups, an answer is copied a few times only, and keys take at most twice their room.
        """
        for first, second in combinations(range(len(self.groups)), 2):
            one, other = self.groups[first].state, self.groups[second].state
            fewer, more = sorted((len(one.prompt), len(other.prompt)))
            lengths = zip(one.size, other.size, strict=True)
            if 2 * fewer >= more and all(a.bit_length() == b.bit_length() for a, b in lengths):
                return first, second
        return None
