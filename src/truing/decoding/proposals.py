"""Answers whose ends are drawn anew, many side by side: who has ended begins again while the others still grow."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from truing.decoding.rolling import open_ended
from truing.decoding.task import Task
from truing.policies.group_sampling import chosen
from truing.policies.growing import Rows

# Proposals are handed out when so many of those that grow have ended: rewards by a model like several at a time.
_ENOUGH = 0.25


class Proposals:
    """One proposal for each of several answers: what stands before a cut, and a new end.

    Nobody waits for the longest: a pass of the model gives a token to every proposal, whatever its step.

    Args:
        task: how to draw, and where tokens are counted.
        current: the answers; :meth:`accept` changes them.
        generator: of cuts and tokens.
    """

    def __init__(self, task: Task, current: Rows, generator: torch.Generator) -> None:
        self.task, self.current, self.generator = task, current, generator
        # From a chain to its row among those that still grow, in the order of these rows.
        self._place = {chain: chain for chain in range(len(current.tokens))}
        self._grown = current.take(self.chains)
        # The last token before a cut is known, but what the model says after it is not: it is pushed first.
        self._known: dict[int, int] = {}
        self._cut(self.chains)

    @property
    def chains(self) -> list[int]:
        """Chains that have steps left."""
        return list(self._place)

    def tokens(self, chain: int) -> list[int]:
        """A proposal as it stands."""
        return self._grown.tokens[self._place[chain]]

    def begin(self, chains: Sequence[int]) -> None:
        """Cut these answers at a place drawn uniformly, the end token's included, and let new ends grow."""
        if chains:
            self._grown.put(self._places(chains), self.current.take(chains))
            self._cut(chains)

    def _cut(self, chains: Sequence[int]) -> None:
        lengths = [len(tokens) for tokens in self._grown.tokens]
        luck = torch.rand(len(chains), generator=self.generator, dtype=torch.float64).tolist()
        for place, chance in zip(self._places(chains), luck, strict=True):
            cut = int(chance * lengths[place])
            if cut:
                self._known[place] = self._grown.tokens[place][cut - 1]
            lengths[place] = max(0, cut - 1)
        self._grown.cut(lengths, logits=False)

    def ended(self) -> list[int]:
        """Let proposals grow until enough have ended, and say which; these are to begin again, or to be left."""
        ends, limit = self.task.engine.ends, self.task.sampling.max_new_tokens
        while True:
            going = [
                place in self._known or open_ended(tokens, ends, limit)
                for place, tokens in enumerate(self._grown.tokens)
            ]
            if going.count(False) >= max(1.0, _ENOUGH * len(going)):
                return [chain for chain, place in self._place.items() if not going[place]]
            self._push(going)

    def accept(self, chains: Sequence[int]) -> None:
        """Let these proposals be the answers."""
        if chains:
            self.current.put(chains, self._grown.take(self._places(chains)))

    def leave(self, chains: Sequence[int]) -> None:
        """These chains have made all of their steps."""
        if chains:
            for chain in chains:
                del self._place[chain]
            kept = list(self._place.values())
            self._known = {new: self._known[old] for new, old in enumerate(kept) if old in self._known}
            self._place = {chain: place for place, chain in enumerate(self._place)}
            self._grown = self._grown.take(kept) if kept else self._grown

    def _places(self, chains: Sequence[int]) -> list[int]:
        return [self._place[chain] for chain in chains]

    def _push(self, going: Sequence[bool]) -> None:
        rows, sampling = self._grown, self.task.sampling
        luck = torch.rand(len(going), generator=self.generator, dtype=torch.float64).to(rows.logits.device)
        tokens = chosen(rows.logits, luck, sampling.temperature, sampling.top_p, sampling.top_k)
        for place, token in self._known.items():
            tokens[place] = token
        rows.push(tokens, torch.tensor(going, device=tokens.device))
        self.task.answer_tokens += sum(going) - len(self._known)
        self._known.clear()
