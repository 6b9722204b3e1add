"""Where the reference's log-probabilities come from during training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load_model, save_model
from torch import Tensor, nn

from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree
from truing.policies.reference_cache import ReferenceLogps
from truing.training.examples import ExampleData


class ReferenceSource(Protocol):
    """Reference log-probabilities for some records of the training data."""

    def __call__(self, indices: Sequence[int], trees: Sequence[Tree]) -> Tensor:
        """Per-token values, nats, in the order of the trees' completions, shape ``[M]``."""
        ...


class Precomputed:
    """Values that were computed before training.

    Args:
        values: of the records' own completions.
        data: the records, where they have parts.
        parts: values of each part's rows, by name.
    """

    def __init__(
        self,
        values: ReferenceLogps,
        data: ExampleData | None = None,
        parts: Mapping[str, ReferenceLogps] | None = None,
    ) -> None:
        self.values = values
        self.data = data
        self.parts = dict(sorted((parts or {}).items()))

    def __call__(self, indices: Sequence[int], trees: Sequence[Tree]) -> Tensor:
        count = len(self.values.offsets) - 1
        if self.data is None or not self.parts:
            return self.values.of([index % count for index in indices])
        found = []
        for index in indices:
            found.append(self.values.of([index % count]))
            for name, values in self.parts.items():
                found.append(values.of([self.data.parts[name].partner(index, count)]))
        return torch.cat(found)


class Live:
    """Values computed in the step: for a reference that moves.

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


class Companion(Protocol):
    """Something that changes along with the policy, and is part of a checkpoint under the name ``file``."""

    @property
    def file(self) -> str: ...

    def after_step(self, step: int, model: nn.Module) -> None:
        """Called after every optimiser step with the number of steps so far and the policy."""
        ...

    def save(self, path: Path) -> None: ...

    def load(self, path: Path) -> None: ...


@dataclass(frozen=True)
class MovingReference:
    """TR-DPO (2404.09656, eq. 4): every ``every`` steps, reference <- mix · policy + (1 − mix) · reference.

    Args:
        model: the reference, which is changed in place.
        every: optimiser steps between moves.
        mix: share of the policy in the new reference, in (0, 1]; 1 is a hard update.
    """

    model: nn.Module
    every: int
    mix: float
    file: str = "reference.safetensors"

    @torch.no_grad()
    def after_step(self, step: int, model: nn.Module) -> None:
        """Move, if it is time to."""
        if step % self.every:
            return
        for old, new in zip(self.model.parameters(), model.parameters(), strict=True):
            old.lerp_(new.detach().to(old), self.mix)

    def save(self, path: Path) -> None:
        """Write the reference's weights beside a checkpoint."""
        save_model(self.model, str(path))

    def load(self, path: Path) -> None:
        """Read what :meth:`save` wrote."""
        load_model(self.model, str(path))
