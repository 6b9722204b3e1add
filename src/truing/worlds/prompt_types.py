"""Prompts of two types, for which different things count, and answers whose rewards are known (after 2511.10656)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class PromptTypes:
    """N prompts with m candidate answers each.

    Attributes:
        embeddings: what an encoder says of the prompt: its type, in noise, shape ``[N, D]``.
        kind: type of each prompt, 0 or 1.
        rewards: of every candidate, independent standard normal numbers, shape ``[N, m, K]``.
        wishes: true weights of each prompt's type, shape ``[N, K]``.
    """

    embeddings: Float[Tensor, "prompts width"]
    kind: Int[Tensor, " prompts"]
    rewards: Float[Tensor, "prompts candidates objectives"]
    wishes: Float[Tensor, "prompts objectives"]

    def chosen(self, weights: Float[Tensor, "#prompts objectives"]) -> Float[Tensor, "prompts objectives"]:
        """Rewards of the candidate with the highest weighted reward."""
        best = (self.rewards * weights[:, None]).sum(-1).argmax(1)
        return self.rewards[torch.arange(len(best)), best]

    def utility(self, weights: Float[Tensor, "#prompts objectives"]) -> Float[Tensor, " prompts"]:
        """What the candidate that these weights choose is worth to the one who asked."""
        return (self.chosen(weights) * self.wishes).sum(-1)


def prompt_types(
    seed: int, first: list[float], second: list[float], *, prompts: int = 400, candidates: int = 4, width: int = 6
) -> PromptTypes:
    """Prompts of two types in equal parts.

    Args:
        seed: of everything.
        first, second: weights that count for prompts of each type, K numbers.
        prompts, candidates, width: sizes.
    """
    draw = torch.Generator().manual_seed(seed)
    kind = torch.arange(prompts) % 2
    wishes = torch.tensor([first, second], dtype=torch.float64)[kind]
    embeddings = 0.5 * torch.randn(prompts, width, generator=draw, dtype=torch.float64)
    embeddings[:, 0] += 2.0 * kind - 1
    rewards = torch.randn(prompts, candidates, len(first), generator=draw, dtype=torch.float64)
    return PromptTypes(embeddings, kind, rewards, wishes)
