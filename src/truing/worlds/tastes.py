"""People of two opposite tastes (after 2406.08469): each likes what is near an ideal point of the own group.

Answers are points on a sphere in R^8 that are seen through a mixing matrix. The groups' ideal points are p and −p.
What is nearer to one is farther from the other, so that the groups disagree on every pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from truing.rewards.personal.comparisons import Comparisons

DIM, WIDTH = 8, 16


@dataclass(frozen=True)
class Tastes:
    """Two groups, and how answers are seen.

    Attributes:
        ideal: the ideal point of group 0; that of group 1 is its negative, shape ``[8]``.
        mixing: from an answer to its embedding, shape ``[8, 16]``.
        seed: of what is drawn.
    """

    ideal: Tensor
    mixing: Tensor
    seed: int

    def pairs(self, groups: dict[str, int], each: int, draw: int) -> Comparisons:
        """What users choose, without error.

        Args:
            groups: 0 or 1 for each user.
            each: pairs of a user.
            draw: number of this drawing.
        """
        generator = torch.Generator().manual_seed(1000 * self.seed + draw)
        users = [name for name in groups for _ in range(each)]
        answers = torch.randn(2, len(users), DIM, generator=generator, dtype=torch.float64)
        answers = DIM**0.5 * answers / answers.norm(dim=2, keepdim=True)
        sign = torch.tensor([1.0 - 2 * groups[name] for name in users], dtype=torch.float64)
        distances = (answers - sign[:, None] * self.ideal).norm(dim=2)
        first = distances[0] < distances[1]
        better = torch.where(first[:, None], answers[0], answers[1])
        worse = torch.where(first[:, None], answers[1], answers[0])
        return Comparisons.of(users, better @ self.mixing, worse @ self.mixing)


def tastes(seed: int) -> Tastes:
    """A world of two groups."""
    generator = torch.Generator().manual_seed(seed)
    ideal = torch.randn(DIM, generator=generator, dtype=torch.float64)
    mixing = torch.randn(DIM, WIDTH, generator=generator, dtype=torch.float64) / DIM**0.5
    return Tastes(ideal, mixing, seed)


def two_groups(count: int, prefix: str = "user") -> dict[str, int]:
    """``count`` users, in turn of group 0 and of group 1."""
    return {f"{prefix}-{number}": number % 2 for number in range(count)}
