"""Small numbers by hand, and Truing's loss on TRL's tokens."""

from __future__ import annotations

import math

import torch

from truing.objectives.algebra import Batch, Objective, Scores
from truing.policies.packing import Tree

from .compare import by_truing
from .conftest import Models


def softplus(x: float) -> float:
    """log(1 + e^x) = −log σ(−x)."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def one_token(policy: list[float], reference: list[float] | None = None) -> Scores:
    """Sequences of one token with these log-probabilities; the reference has −1 unless given."""
    values = torch.tensor(policy, dtype=torch.float64)
    other = torch.full_like(values, -1.0) if reference is None else torch.tensor(reference, dtype=torch.float64)
    return Scores.from_sequences(values, other)


def loss_of(objective: Objective, scores: Scores, batch: Batch) -> float:
    state = objective.update(objective.init(), scores, batch) if objective.coupling != "none" else None
    return float(objective(scores, batch, state).loss)


def ours(objective: Objective, models: Models, trees: list[Tree], roles: Batch) -> float:
    return by_truing(objective, models.policy64, models.reference64, trees, roles).loss
