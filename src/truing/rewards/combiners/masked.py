"""Sums and means over the objectives that are known."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import DataError
from truing.rewards.algebra import Rewards


def total(rewards: Rewards, values: Tensor | None = None) -> Float[Tensor, " answers"]:
    """Sum over known objectives; ``nan`` where none is known.

    Args:
        rewards: whose mask counts.
        values: other numbers than the rewards', shape ``[N, K]``.
    """
    terms = (rewards.values if values is None else values).masked_fill(~rewards.valid, 0.0)
    return terms.sum(1).masked_fill(~rewards.valid.any(1), torch.nan)


def mean(rewards: Rewards, values: Tensor | None = None) -> Float[Tensor, " answers"]:
    """Mean over known objectives; ``nan`` where none is known."""
    return total(rewards, values) / rewards.valid.sum(1)


def shares(rewards: Rewards, weights: Tensor | None) -> Float[Tensor, "answers objectives"]:
    """Weights of the known objectives, on which the weight of those that are not known is spread.

    Args:
        rewards: whose mask counts.
        weights: shape ``[N, K]``; equal weights that sum to 1 if left out.
    """
    values = rewards.values
    given = torch.full_like(values, 1 / values.shape[1]) if weights is None else weights.to(values)
    known = given.masked_fill(~rewards.valid, 0.0)
    return known * (given.abs().sum(1) / known.abs().sum(1))[:, None]


def not_negative(rewards: Rewards, shift: float, needed_by: str) -> Float[Tensor, "answers objectives"]:
    """Rewards plus the shift.

    Raises:
        DataError: if one is still below 0; names it.
    """
    shifted = rewards.values + shift
    wrong = rewards.valid & (shifted < 0)
    if wrong.any():
        row, column = wrong.nonzero()[0].tolist()
        raise DataError(
            f"{needed_by} takes no negative rewards: two of them would make a good one; this one is "
            f"{float(rewards.values[row, column]):g}",
            where=f"answer {row}, objective {rewards.names[column]!r}",
            fix="add shift to the combiner, or calibrate the rewards first",
        )
    return shifted
