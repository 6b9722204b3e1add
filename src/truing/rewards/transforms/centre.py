"""Rewards above a level of the prompt's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from truing.parameters import Doc
from truing.rewards.algebra import Context, Rewards
from truing.rewards.plain import plain

Level = Annotated[
    float | None,
    Field(ge=0, le=1, allow_inf_nan=False),
    Doc(
        "quantile of the reference's scores on the prompt that becomes 0; their mean if left out",
        "0 <= quantile <= 1",
    ),
]


@dataclass(frozen=True)
class Centred:
    """R − level(x).

    Args:
        quantile: of the prompt's samples; ``None`` for their mean.
    """

    quantile: float | None
    needs_reference: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        stats = context.statistics("centre").only(rewards.names)
        level = stats.mean(context.keys) if self.quantile is None else stats.quantile(self.quantile, context.keys)
        return rewards.with_values(rewards.values - level)


@plain(
    kind="reward transform",
    name="centre",
    summary="How far above the reference's mean, or a quantile of it, on the same prompt.",
    aliases=("center",),
)
def centre(quantile: Level = None) -> Centred:
    """R − mean(x), or R − quantile(x)."""
    return Centred(quantile)
