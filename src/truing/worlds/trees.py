"""Trees of tokens in which every value is a finite sum: the law of guided decoding, without sampling.

All answers have the same length and each is drawn with a share that is a whole number of parts, so that a list of
answers, each as often as its share, stands for the law that they are drawn from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

Answer = tuple[int, ...]


@dataclass(frozen=True)
class Tree:
    """Answers of ``depth`` tokens.

    Attributes:
        depth: tokens of each.
        width: tokens to choose from.
        shares: parts of each answer in the model's law, in lexical order, shape ``[width ** depth]``.
        rewards: of each answer, same shape.
    """

    depth: int
    width: int
    shares: Int[Tensor, " answers"]
    rewards: Float[Tensor, " answers"]

    @property
    def answers(self) -> list[Answer]:
        """In lexical order."""
        return list(product(range(self.width), repeat=self.depth))

    @property
    def law(self) -> Float[Tensor, " answers"]:
        """Of the model."""
        return self.shares.double() / self.shares.sum()

    def below(self, prefix: Answer) -> slice:
        """Places of the answers that begin so."""
        size = self.width ** (self.depth - len(prefix))
        start = sum(token * self.width ** (self.depth - place - 1) for place, token in enumerate(prefix))
        return slice(start, start + size)

    def tilted(self, rewards: Float[Tensor, " answers"], beta: float) -> Float[Tensor, " answers"]:
        """π e^(r/β) / Z."""
        return (self.law.log() + rewards / beta).softmax(-1)

    def guided_law(
        self, guided: Any, continuing: Int[Tensor, " answers"] | None = None
    ) -> Float[Tensor, " answers"]:
        """The law of answers under guided decoding at temperature 1, every continuation counted.

        Args:
            guided: a :class:`~truing.decoding.guided.Guided` whose value is merged from continuations.
            continuing: shares of the law by which answers are continued; the model's own if left out.
        """
        shares = self.shares if continuing is None else continuing
        found = torch.zeros(len(self.rewards), dtype=torch.float64)
        self._descend((), 0.0, guided, shares, found)
        return found.exp()

    def values(self, guided: Any, prefix: Answer, shares: Int[Tensor, " answers"]) -> Float[Tensor, " tokens"]:
        """The value of each next token; what merges is told of answers by their place in the list."""
        found = []
        for token in range(self.width):
            here = self.below((*prefix, token))
            rewards = self.rewards[here].repeat_interleave(shares[here])[None]
            places = torch.arange(here.start, here.stop).repeat_interleave(shares[here]).tolist()
            found.append(guided.value.merge(rewards, self, [[place] for place in places], places)[0])
        return torch.stack(found)

    def _descend(self, prefix: Answer, logp: float | Tensor, guided: Any, shares: Tensor, found: Tensor) -> None:
        if len(prefix) == self.depth:
            found[self.below(prefix)] = logp
            return
        masses = torch.stack([self.shares[self.below((*prefix, token))].sum() for token in range(self.width)])
        scores = masses.double().log() + guided.weight * self.values(guided, prefix, shares)
        for token, step in enumerate(scores.log_softmax(-1)):
            self._descend((*prefix, token), logp + step, guided, shares, found)


def random_tree(seed: int, depth: int = 4) -> Tree:
    """Two tokens, of which the first has one to three parts of four, and a normal reward for each answer."""
    generator = torch.Generator().manual_seed(seed)
    shares = torch.ones(2**depth, dtype=torch.int64)
    for level in range(depth):
        first = torch.randint(1, 4, (2**level,), generator=generator)
        shares *= torch.stack([first, 4 - first], 1).flatten().repeat_interleave(2 ** (depth - level - 1))
    rewards = torch.randn(2**depth, generator=generator, dtype=torch.float64)
    return Tree(depth, 2, shares // math.gcd(*shares.tolist()), rewards)


def regularised(law: Tensor, reference: Tensor, rewards: Tensor, beta: float) -> float:
    """E[r] − β KL(law ‖ reference)."""
    kl = torch.special.xlogy(law, law) - torch.special.xlogy(law, reference)
    return float((law * rewards).sum() - beta * kl.sum())
