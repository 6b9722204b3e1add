"""Advantages of single tokens: generalised advantage estimation (1506.02438)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def advantages(
    rewards: Float[Tensor, " tokens"],
    values: Float[Tensor, " tokens"],
    sequence: Int[Tensor, " tokens"],
    count: int,
    *,
    discount: float = 1.0,
    trace: float = 0.95,
) -> Float[Tensor, " tokens"]:
    """A_t = Σ_k (discount·trace)^k δ_{t+k}, with δ_t = r_t + discount·V_{t+1} − V_t (1506.02438, eq. 16).

    Answers end: the value after an answer's last token is 0. With ``trace = 1`` and values of 0 the advantage is the
    discounted reward-to-go; with ``trace = 0`` it is δ.

    Args:
        rewards: of each token, detached.
        values: of the state before each token, detached.
        sequence: the answer of each token, non-decreasing.
        count: answers.
        discount: of rewards, a token.
        trace: of differences, a token; λ.
    """
    lengths = torch.bincount(sequence, minlength=count)
    starts = lengths.cumsum(0) - lengths
    width = int(lengths.max()) if len(lengths) else 0
    place = torch.arange(len(sequence), device=sequence.device) - starts[sequence]
    grid = rewards.new_zeros(count, width + 1)
    reward, value = grid.clone(), grid.clone()
    reward[sequence, place], value[sequence, place] = rewards, values
    # Beyond an answer's end everything is 0, and so is what flows back from there.
    delta = reward[:, :-1] + discount * value[:, 1:] - value[:, :-1]
    found = torch.zeros_like(delta)
    later = delta.new_zeros(count)
    for t in reversed(range(width)):
        later = delta[:, t] + discount * trace * later
        found[:, t] = later
    return found[sequence, place]


def whitened(
    values: Float[Tensor, " tokens"], weights: Float[Tensor, " tokens"], eps: float = 1e-8
) -> Float[Tensor, " tokens"]:
    """Values with mean 0 and variance 1 over all tokens that count; ``weights`` says how much each does."""
    total = weights.sum().clamp(min=1e-12)
    mean = (weights * values).sum() / total
    variance = (weights * (values - mean).square()).sum() / total
    return (values - mean) * torch.rsqrt(variance + eps)
