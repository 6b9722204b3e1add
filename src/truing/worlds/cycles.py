"""A judge that ranks the better the better its example is, and a student that learns from it in cycles."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from truing.objectives.algebra import Batch, Objective
from truing.worlds.policies import Tabular

Agree = Callable[[Sequence[int], Sequence[int]], list[int]]
"""From the judge's order and the student's to the order that is learned."""
Choose = Callable[[list[list[int]], np.random.Generator], Sequence[int] | None]
"""From the cycle's agreed orders, one a prompt, to the number of the prompt that is shown; ``None`` shows
nothing new."""


def pairs_right(order: Sequence[int], worth: np.ndarray) -> float:
    """Share of an order's pairs that are right, one half where it has none."""
    pairs = list(combinations(order, 2))
    return float(np.mean([worth[a] > worth[b] for a, b in pairs])) if pairs else 0.5


@dataclass
class Cycles:
    """Prompts with answers of standard normal worth.

    The judge orders any two answers rightly with probability 0.65 + 0.25 q, where q is the quality of its example: 1
    for an order that is right throughout, 0 for one that is no better than chance.

    Attributes:
        worth: of the answers, shape ``[prompts, answers]``.
        student: as it is now.
        quality: of the judge's example.
        rng: of everything that is drawn.
        drawn: answers drawn for a prompt in a cycle.
    """

    worth: np.ndarray
    student: Tabular
    quality: float
    rng: np.random.Generator
    drawn: int = 5

    @classmethod
    def random(cls, seed: int, *, prompts: int = 60, answers: int = 10, knowledge: float = 0.5) -> Cycles:
        """A student whose log-probabilities correlate with worth, and a judge whose example says nothing."""
        rng = np.random.default_rng(seed)
        worth = rng.normal(size=(prompts, answers))
        logits = knowledge * worth + math.sqrt(1 - knowledge**2) * rng.normal(size=worth.shape)
        return cls(worth, Tabular(torch.from_numpy(logits)), 0.0, rng)

    @property
    def accuracy(self) -> float:
        """Probability that the judge orders two random answers rightly."""
        return 0.65 + 0.25 * self.quality

    def judged(self, prompt: int, places: Sequence[int]) -> list[int]:
        """The judge's order of some answers: by worth plus a normal error of the size that its accuracy means."""
        error = 1 / math.tan(math.pi * (self.accuracy - 0.5))
        seen = self.worth[prompt, list(places)] + error * self.rng.normal(size=len(places))
        return [places[i] for i in np.argsort(-seen)]

    def cycle(self, objective: Objective, agree: Agree, show: Choose, *, rate: float) -> float:
        """Draw, rank, agree, learn, show.

        Returns:
            Share of pairs in the judge's orders that were right.
        """
        law = self.student.probabilities().detach()
        logps = law.log()
        orders, right = [], []
        for prompt in range(len(self.worth)):
            weights = law[prompt].numpy()
            chosen = self.rng.choice(len(weights), self.drawn, replace=False, p=weights / weights.sum())
            judged = self.judged(prompt, chosen.tolist())
            right.append(pairs_right(judged, self.worth[prompt]))
            liked = sorted(judged, key=lambda place, p=prompt: -float(logps[p, place]))  # type: ignore[misc]
            orders.append(agree(judged, liked))
        self._learn(objective, orders, rate)
        number = show(orders, self.rng)
        if number is not None:
            prompt = int(number[0])
            self.quality = max(0.0, 2 * pairs_right(orders[prompt], self.worth[prompt]) - 1)
        return float(np.mean(right))

    def _learn(self, objective: Objective, orders: list[list[int]], rate: float) -> None:
        kept = [(prompt, order) for prompt, order in enumerate(orders) if len(order) > 1]
        items = torch.tensor([[prompt, place] for prompt, order in kept for place in order])
        reward = torch.tensor(
            [float(len(o) - rank) for _, o in kept for rank in range(len(o))], dtype=torch.float64
        )
        batch = Batch.ranked([len(order) for _, order in kept], reward)
        loss = objective(self.student.score(items), batch).loss * len(kept)
        (gradient,) = torch.autograd.grad(loss, self.student.table)
        self.student = Tabular(self.student.table.detach() - rate * gradient)

    def reward(self) -> float:
        """Expected worth of the student's answers."""
        return float((self.student.probabilities().detach().numpy() * self.worth).sum(1).mean())

    def likelihoods(self) -> Float[Tensor, "prompts answers"]:
        """Of all answers, nats."""
        return self.student.logps().detach()


def longest(orders: list[list[int]], rng: np.random.Generator) -> Sequence[int]:
    """Show the prompt with the longest agreed order."""
    return [max(range(len(orders)), key=lambda number: len(orders[number]))]


def nothing(orders: list[list[int]], rng: np.random.Generator) -> None:
    """One-way distillation: the judge is shown nothing."""


def judge_alone(judged: Sequence[int], liked: Sequence[int]) -> list[int]:
    """The judge's whole order, whatever the student's is."""
    return list(judged)
