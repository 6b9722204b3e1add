"""Rewards in standard deviations of the answers that are judged together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from truing.rewards.algebra import Context, Rewards
from truing.rewards.plain import plain


@dataclass(frozen=True)
class BatchStandardised:
    """(R − mean) / std over all known answers of the batch; 0 where they do not differ."""

    needs_reference: ClassVar[bool] = False
    pointwise: ClassVar[bool] = False

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        apart = rewards.values - rewards.values.nanmean(0)
        spread = apart.square().nanmean(0).sqrt()
        return rewards.with_values(torch.where(spread > 0, apart / spread, apart))


@plain(
    kind="reward transform",
    name="batch-z-score",
    summary="Rewards in standard deviations from the mean of the batch, so that objectives weigh alike in it.",
)
def batch_z_score() -> BatchStandardised:
    """(R − mean) / std, over the batch."""
    return BatchStandardised()
