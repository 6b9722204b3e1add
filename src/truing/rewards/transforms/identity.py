"""The reward as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from truing.rewards.algebra import Context, Rewards
from truing.rewards.plain import plain


@dataclass(frozen=True)
class Identity:
    """R."""

    needs_reference: ClassVar[bool] = False
    pointwise: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        return rewards


@plain(kind="reward transform", name="identity", summary="The reward as it is.")
def identity() -> Identity:
    """R."""
    return Identity()
