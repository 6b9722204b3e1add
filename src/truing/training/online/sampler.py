"""Drawing answers: what a sampler is, and the one that uses the trained model itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling
from truing.policies.group_sampling import GroupSampler


class Sampler(Protocol):
    """Draws answers from the policy."""

    @property
    def is_policy(self) -> bool:
        """Whether the trained model itself draws, so that what it draws is always from its weights as they are."""
        ...

    def follow(self, *, main: bool) -> None:
        """Draw from the policy as it is now, until the next call; ``main`` where this is the main process."""
        ...

    def __call__(self, prompts: Sequence[Sequence[int]], count: int, seed: int) -> list[list[list[int]]]:
        """``count`` answers to each prompt, as token ids, ended by the end-of-sequence token where one was drawn."""
        ...


class OwnSampler:
    """Draws with the trained model, in this process; every prompt is run once for all its answers.

    Args:
        policy: the trained model.
        max_new_tokens: longest answer.
        temperature, top_p: of the sampling.
        batch: answers in one pass.
    """

    is_policy = True

    def __init__(
        self,
        policy: CausalPolicy,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_p: float = 1.0,
        batch: int = 64,
    ) -> None:
        self._sampler = GroupSampler(policy)
        self._sampling = Sampling(max_new_tokens, temperature, top_p, batch=batch)

    def follow(self, *, main: bool) -> None:
        """Nothing is to be done."""

    def __call__(self, prompts: Sequence[Sequence[int]], count: int, seed: int) -> list[list[list[int]]]:
        return self._sampler(prompts, count, replace(self._sampling, seed=seed))
