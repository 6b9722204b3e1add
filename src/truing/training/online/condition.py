"""What the policy is told before it draws: the direction that will weigh its rewards (DPA, 2402.18571, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from truing.rewards.algebra import Prompt, prompt_key
from truing.rewards.weighters.direction import Directions
from truing.training.online.telling import Telling

DIRECTION = "direction"
"""Name of the condition in a recipe."""


class Condition(Protocol):
    """Puts something in front of prompts that depends on prompt and round alone, so that a replay sees the same."""

    def __call__(self, prompts: Sequence[Prompt], round: int) -> list[list[int]]:
        """Token ids of the prompts as the policy sees them."""
        ...


def direction_text(direction: Float[Tensor, " objectives"], names: Sequence[str]) -> str:
    """A direction in words: hundredths of each objective, as users of the trained model write them."""
    parts = [f"{name} × {round(100 * float(value))}" for name, value in zip(names, direction, strict=True)]
    return f"Answer so that the sum of these ratings is as large as possible: {', '.join(parts)}."


@dataclass(frozen=True)
class DirectionCondition:
    """Tells each prompt's direction, the one that its rewards are weighed with in the same round.

    Args:
        directions: of the rewards.
        names: of the objectives.
        telling: puts it before prompts.
    """

    directions: Directions
    names: tuple[str, ...]
    telling: Telling

    def __call__(self, prompts: Sequence[Prompt], round: int) -> list[list[int]]:
        return [
            self.telling(
                prompt, direction_text(self.directions.of(prompt_key(prompt), round, len(self.names)), self.names)
            )
            for prompt in prompts
        ]

    def check(self, prompts: Sequence[Prompt], where: str) -> None:
        """Refuse prompts without room for a question; see :meth:`Telling.check`."""
        self.telling.check(prompts, direction_text(torch.full((len(self.names),), -1.0), self.names), where)
