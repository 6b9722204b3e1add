"""Rewards to a power, with their sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from truing.parameters import POSITIVE, Doc
from truing.rewards.algebra import Context, Rewards
from truing.rewards.plain import plain

Exponent = Annotated[
    float,
    POSITIVE,
    Doc(
        "above 1 large rewards count more, below 1 less",
        "exponent > 0; at 0 all rewards are alike, below 0 the order is reversed",
    ),
]


@dataclass(frozen=True)
class Power:
    """sign(R) |R|^p."""

    exponent: float
    needs_reference: ClassVar[bool] = False
    pointwise: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        values = rewards.values
        return rewards.with_values(values.sign() * values.abs().pow(self.exponent))


@plain(kind="reward transform", name="power", summary="To a power, keeping the sign.")
def power(exponent: Exponent = 2.0) -> Power:
    """sign(R) |R|^p."""
    return Power(exponent)
