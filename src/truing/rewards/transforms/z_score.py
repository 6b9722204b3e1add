"""Rewards in standard deviations of the reference's scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch

from truing.errors import DataError
from truing.parameters import Doc
from truing.rewards.algebra import Context, Rewards
from truing.rewards.plain import plain

Over = Annotated[
    Literal["all", "prompt"],
    Doc(
        "what the mean and the spread are taken over: all samples of the reference, or those of the prompt",
        "all or prompt; of single prompts, small samples make a noisy scale",
    ),
]


@dataclass(frozen=True)
class Standardised:
    """(R − mean) / std of all of the reference's samples."""

    needs_reference: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        stats = context.statistics("z-score").only(rewards.names)
        # A prompt that the reference does not know is an error here too.
        stats.prompts(context.keys)
        mean, std = stats.overall()
        for name, spread in zip(rewards.names, std.tolist(), strict=True):
            if not spread > 0:
                raise DataError(
                    f"the reference's scores of {name!r} do not differ, so they have no scale",
                    fix="leave the objective out, or use centre instead of z-score",
                )
        return rewards.with_values((rewards.values - mean) / std)


@dataclass(frozen=True)
class StandardisedByPrompt:
    """(R − mean) / std of the prompt's samples; masked where these do not differ."""

    needs_reference: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        stats = context.statistics("z-score").only(rewards.names)
        std = stats.std(context.keys)
        return rewards.with_values(
            (rewards.values - stats.mean(context.keys)) / std.masked_fill(std == 0, torch.nan)
        )


_OVER: dict[str, type[Standardised] | type[StandardisedByPrompt]] = {
    "all": Standardised,
    "prompt": StandardisedByPrompt,
}


@plain(
    kind="reward transform",
    name="z-score",
    summary="Standard deviations above the mean of the reference's scores.",
)
def z_score(over: Over = "all") -> Standardised | StandardisedByPrompt:
    """(R − mean) / std."""
    return _OVER[over]()
