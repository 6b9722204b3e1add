"""Choosing among answers: the best, one in proportion to what it is worth, the most frequent, the least risky."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def best(worth: Float[Tensor, " answers"], generator: torch.Generator) -> int:
    """The answer that is worth most; one of them at random where several are."""
    tied = (worth == worth.max()).nonzero()[:, 0]
    return int(tied[torch.randint(len(tied), (1,), generator=generator)])


def soft_weights(worth: Float[Tensor, " answers"], temperature: float) -> Float[Tensor, " answers"]:
    """softmax(worth / temperature); at temperature 0 all on the best, shared where several are."""
    if not bool((worth > -torch.inf).any()):
        return torch.full_like(worth, 1 / len(worth))
    if temperature == 0:
        top = (worth == worth.max()).to(worth.dtype)
        return top / top.sum()
    return ((worth - worth.max()) / temperature).softmax(-1)


def draw(weights: Float[Tensor, " answers"], generator: torch.Generator) -> int:
    """One answer in proportion to its weight."""
    return int(torch.multinomial(weights, 1, generator=generator))


def tally(
    labels: Sequence[Hashable | None], weights: Float[Tensor, " answers"]
) -> list[tuple[Hashable, float, list[int]]]:
    """Classes of answers with the same label, the heaviest first; answers without a label are in none.

    Args:
        labels: of each answer; ``None`` where none could be read.
        weights: of each answer.

    Returns:
        Label, weight and members of each class; ties in the order of their first members.
    """
    members: dict[Hashable, list[int]] = {}
    for place, label in enumerate(labels):
        if label is not None:
            members.setdefault(label, []).append(place)
    found = [(label, float(weights[rows].sum()), rows) for label, rows in members.items()]
    return sorted(found, key=lambda entry: -entry[1])


def risks(
    similarity: Float[Tensor, "answers answers"], weights: Float[Tensor, " answers"]
) -> Float[Tensor, " answers"]:
    """Expected loss of giving each answer, 1 − Σ_j w_j sim(y_i, y_j), weights made to sum to 1 (minimum Bayes risk)."""
    return 1 - similarity.to(weights.dtype) @ (weights / weights.sum())


def hard_kl_bound(n: int) -> float:
    """At least KL(best-of-n ‖ model), nats, and equal to it where no answers tie: log n − (n − 1)/n (2401.01879)."""
    return math.log(n) - (n - 1) / n


def soft_kl_bound(weights: Float[Tensor, " answers"]) -> float:
    """A number whose mean over draws is at least KL(soft best-of-n ‖ model), nats: log n − H(w).

    The answers together with which of them is taken are as far from a blind choice; the answer alone is no further.
    """
    return math.log(len(weights)) + float(torch.special.xlogy(weights, weights).sum())


def level_law(
    law: Float[Tensor, " outcomes"], worth: Float[Tensor, " outcomes"], n: int
) -> Float[Tensor, " outcomes"]:
    """Exact law of best-of-n: F(r)^n − F(r−)^n for each level of reward, shared within it as the model does.

    Args:
        law: of the model over its outcomes.
        worth: of each outcome.
        n: how many are drawn.
    """
    found = torch.zeros_like(law)
    for level in worth.unique():
        here = worth == level
        below = law[worth < level].sum()
        mass = law[here].sum()
        if mass > 0:
            found[here] = ((below + mass) ** n - below**n) * law[here] / mass
    return found
