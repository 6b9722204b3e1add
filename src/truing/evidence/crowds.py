"""Worlds of ten answers whose labels are wrong for a reason: close calls, or careless annotators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.evidence.setups import normals, random_policy
from truing.worlds import Data, ExactPolicy, Tabular, pairs

_ANSWERS = 10
# Standard deviation of the reward model's error, in units of utility.
_ERROR = 0.5


@dataclass(frozen=True)
class Crowd:
    """Labelled pairs, and the truth behind them.

    Attributes:
        start: the policy before training.
        data: the pairs; what their columns say depends on the world.
        utility: true utility of each answer.
        flipped: which labels are wrong.
    """

    start: Tabular
    data: Data
    utility: Float[Tensor, " answers"]
    flipped: Tensor


def accuracy(policy: ExactPolicy, crowd: Crowd) -> float:
    """Share of all pairs of answers whose log-ratios stand in the order of their utilities."""
    reward = (policy.logps() - crowd.start.logps()).detach()[0]
    better = crowd.utility[:, None] > crowd.utility[None, :]
    return float((reward[:, None] > reward[None, :])[better].double().mean())


def scored(seed: int, count: int) -> Crowd:
    """Pairs whose label is flipped with probability e^(−|u_i − u_j|)/2, with a reward model's ``margin``.

    The margin is the difference in utility between the answer that is labelled chosen and the other, plus an error.
    """
    generator = torch.Generator().manual_seed(seed)
    utility = 1.5 * normals(seed, _ANSWERS)
    first, second = _drawn(count, generator)
    difference = utility[first] - utility[second]
    flipped = _uniform(count, generator) < 0.5 * torch.exp(-difference.abs())
    data = _labelled(first, second, (difference > 0) ^ flipped)
    chosen, rejected = data.items[data.batch.chosen, 1], data.items[data.batch.rejected, 1]
    error = _ERROR * torch.randn(count, generator=generator, dtype=torch.float64)
    margin = utility[chosen] - utility[rejected] + error
    data = replace(data, batch=replace(data.batch, margin=margin))
    return Crowd(random_policy(seed + 500, _ANSWERS), data, utility, flipped)


def annotated(seed: int, count: int, reliability: Sequence[float]) -> Crowd:
    """Pairs labelled by a Bradley–Terry model; each annotator then flips labels at a rate of their own.

    The column ``annotator`` says who labelled a pair.
    """
    generator = torch.Generator().manual_seed(seed)
    utility = 3.0 * normals(seed, _ANSWERS)
    first, second = _drawn(count, generator)
    wins = _uniform(count, generator) < torch.sigmoid(utility[first] - utility[second])
    annotator = torch.randint(len(reliability), (count,), generator=generator)
    right = torch.tensor(reliability, dtype=torch.float64)[annotator]
    flipped = _uniform(count, generator) >= right
    data = _labelled(first, second, wins ^ flipped, annotator=annotator)
    return Crowd(random_policy(seed + 500, _ANSWERS), data, utility, flipped)


def _drawn(count: int, generator: torch.Generator) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]:
    """Two different answers."""
    first = torch.randint(_ANSWERS, (count,), generator=generator)
    return first, (first + torch.randint(1, _ANSWERS, (count,), generator=generator)) % _ANSWERS


def _uniform(count: int, generator: torch.Generator) -> Float[Tensor, " pairs"]:
    return torch.rand(count, generator=generator, dtype=torch.float64)


def _labelled(first: Tensor, second: Tensor, first_wins: Tensor, **columns: Tensor) -> Data:
    chosen, rejected = torch.where(first_wins, first, second), torch.where(first_wins, second, first)
    return pairs(chosen, rejected, **columns)
