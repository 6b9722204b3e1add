"""Slot 6 of the algebra: a detached weight for each comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from truing.objectives.algebra.scores import Batch, Scores


class PairWeight(Protocol):
    """A detached weight per pair."""

    @property
    def requires(self) -> frozenset[str]: ...

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " pairs"]: ...

    def text(self) -> str: ...


@dataclass(frozen=True)
class OnPolicyWeight:
    """WPO (2406.11827, eq. 5): how likely the current policy would be to write both answers itself.

    w(y) = exp(mean_t [log π(y_t) − log Σ_v π(v)²]); a pair weighs min(1, w(y_w)·w(y_l)). The alignment term
    log Σ_v π(v)² makes an answer sampled from the policy weigh about 1. The authors' code clamps the
    product at 1, and so does this.
    """

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({"signal:log_collision"})

    @torch.no_grad()
    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " pairs"]:
        adjusted = scores.token_logps - scores.signals["log_collision"]
        mean = scores.total(adjusted) / scores.lengths.clamp(min=1)
        return torch.exp(mean[batch.chosen] + mean[batch.rejected]).clamp(max=1)

    def text(self) -> str:
        return "w(y_w)·w(y_l)"
