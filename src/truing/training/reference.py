"""Where the reference's log-probabilities come from during training."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree
from truing.policies.reference_cache import ReferenceLogps


class ReferenceSource(Protocol):
    """Reference log-probabilities for some records of the training data."""

    def __call__(self, indices: Sequence[int], trees: Sequence[Tree]) -> Tensor:
        """Per-token values, nats, in the order of the trees' completions, shape ``[M]``."""
        ...


class Precomputed:
    """Values that were computed before training."""

    def __init__(self, values: ReferenceLogps) -> None:
        self.values = values

    def __call__(self, indices: Sequence[int], trees: Sequence[Tree]) -> Tensor:
        return self.values.of(indices)


class Live:
    """Values computed in the step: for streams, and for a reference that moves.

    Args:
        policy: the reference, or the trained policy itself, whose adapter is then switched off.
        budget: tokens in one forward pass.
    """

    def __init__(self, policy: CausalPolicy, budget: int) -> None:
        self.policy = policy
        self.budget = budget

    def __call__(self, indices: Sequence[int], trees: Sequence[Tree]) -> Tensor:
        with self.policy.evaluating(), self.policy.without_adapter():
            return self.policy.score_all(trees, budget=self.budget).token_logps


@torch.no_grad()
def move_towards(reference: nn.Module, policy: nn.Module, share: float) -> None:
    """TR-DPO (2404.09656, eq. 4): reference <- share · policy + (1 − share) · reference."""
    with contextlib.suppress(AttributeError):
        policy = policy.module  # type: ignore[assignment]
    for old, new in zip(reference.parameters(), policy.parameters(), strict=True):
        old.lerp_(new.detach().to(old), share)
