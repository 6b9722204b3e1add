"""Rewards as ranks among the answers to the same prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from truing.rewards.algebra import Context, Rewards
from truing.rewards.plain import plain


@dataclass(frozen=True)
class Rank:
    """(rank − 1) / (n − 1) among the n answers to the prompt that are judged together; ties share their mean.

    An answer that is alone gets one half.
    """

    needs_reference: ClassVar[bool] = False
    pointwise: ClassVar[bool] = False

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        ranks = torch.full_like(rewards.values, torch.nan)
        groups: dict[str, list[int]] = {}
        for row, key in enumerate(context.keys):
            groups.setdefault(key, []).append(row)
        for rows in groups.values():
            own = rewards.values[rows]
            known = rewards.valid[rows].sum(0).to(own.dtype)
            beaten = (own[:, None] > own[None]).sum(1) + 0.5 * ((own[:, None] == own[None]).sum(1) - 1)
            ranks[rows] = torch.where(known > 1, beaten / (known - 1).clamp(min=1), 0.5).to(own.dtype)
        return rewards.with_values(ranks.masked_fill(~rewards.valid, torch.nan))


@plain(
    kind="reward transform",
    name="rank",
    summary="Rank among the answers to the same prompt in the batch, from 0 for the worst to 1 for the best.",
)
def rank() -> Rank:
    """(rank − 1) / (n − 1)."""
    return Rank()
