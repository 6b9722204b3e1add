"""What the policy is told before it draws: the direction that will weigh its rewards (DPA, 2402.18571, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from truing.rewards.algebra import Prompt, prompt_key
from truing.rewards.models.texts import placed_trees
from truing.rewards.weighters.direction import Directions


class Condition(Protocol):
    """Puts something in front of prompts that depends on prompt and round alone, so that a replay sees the same."""

    def __call__(self, prompts: Sequence[Prompt], round: int) -> list[list[int]]:
        """Token ids of the prompts as the policy sees them."""
        ...


def direction_text(direction: Float[Tensor, " objectives"], names: Sequence[str]) -> str:
    """A direction in words: hundredths of each objective, as users of the trained model write them."""
    parts = [f"{name} × {round(100 * float(value))}" for name, value in zip(names, direction, strict=True)]
    return f"Answer so that the sum of these ratings is as large as possible: {', '.join(parts)}."


def told(prompt: Prompt, text: str) -> Prompt:
    """The prompt with a text before it: as a system message, behind one that is there, or as plain text."""
    if isinstance(prompt, str):
        return f"{text}\n\n{prompt}"
    if prompt and prompt[0]["role"] == "system":
        return [{"role": "system", "content": f"{prompt[0]['content']}\n\n{text}"}, *prompt[1:]]
    return [{"role": "system", "content": text}, *prompt]


@dataclass(frozen=True)
class DirectionCondition:
    """Tells each prompt's direction, the one that its rewards are weighed with in the same round.

    Args:
        directions: of the rewards.
        names: of the objectives.
        tokenizer: of the policy.
        max_length: of a prompt, tokens; the beginning is lost where it does not fit.
    """

    directions: Directions
    names: tuple[str, ...]
    tokenizer: PreTrainedTokenizerBase
    max_length: int | None

    def __call__(self, prompts: Sequence[Prompt], round: int) -> list[list[int]]:
        asked = [
            told(
                prompt, direction_text(self.directions.of(prompt_key(prompt), round, len(self.names)), self.names)
            )
            for prompt in prompts
        ]
        found: list[list[int]] = [[] for _ in prompts]
        for own in placed_trees(self.tokenizer, self.max_length, asked, ["-"] * len(asked)):
            for place in own.places:
                found[place] = list(own.tree.prompt)
        return found
