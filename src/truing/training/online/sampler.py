"""Drawing answers: what a sampler is, and the one that uses the trained model itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling, generate


class Sampler(Protocol):
    """Draws answers from the policy as it is now."""

    def __call__(self, prompts: Sequence[Sequence[int]], count: int, seed: int) -> list[list[list[int]]]:
        """``count`` answers to each prompt, as token ids, ended by the end-of-sequence token where one was drawn."""
        ...


@dataclass(frozen=True)
class OwnSampler:
    """Draws with transformers' ``generate``, in this process.

    Attributes:
        policy: the trained model.
        max_new_tokens: longest answer.
        temperature, top_p: of the sampling.
        batch: answers in one pass.
    """

    policy: CausalPolicy
    max_new_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    batch: int = 64

    def __call__(self, prompts: Sequence[Sequence[int]], count: int, seed: int) -> list[list[list[int]]]:
        sampling = Sampling(self.max_new_tokens, self.temperature, self.top_p, seed, self.batch)
        repeated = [prompt for prompt in prompts for _ in range(count)]
        answers = generate(self.policy, repeated, sampling)
        return [answers[start : start + count] for start in range(0, len(answers), count)]
