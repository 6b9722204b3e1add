"""Rewards held between two bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from truing.errors import ObjectiveError
from truing.parameters import Doc
from truing.rewards.algebra import Context, Rewards
from truing.rewards.plain import plain

Bound = Annotated[
    float | None, Field(allow_inf_nan=False), Doc("bound, in units of the reward", "a finite number")
]


@dataclass(frozen=True)
class Clipped:
    """min(max(R, low), high)."""

    low: float | None
    high: float | None
    needs_reference: ClassVar[bool] = False
    pointwise: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        return rewards.with_values(rewards.values.clamp(self.low, self.high))


@plain(kind="reward transform", name="clip", summary="Held between two bounds, either of which may be left out.")
def clip(low: Bound = None, high: Bound = None) -> Clipped:
    """min(max(R, low), high).

    Raises:
        ObjectiveError: if there is no bound, or they are in the wrong order.
    """
    if low is None and high is None:
        raise ObjectiveError("clip without a bound changes nothing", fix="give low, high, or both")
    if low is not None and high is not None and low >= high:
        raise ObjectiveError(f"clip to [{low:g}, {high:g}] leaves no room", allowed="low < high")
    return Clipped(low, high)
