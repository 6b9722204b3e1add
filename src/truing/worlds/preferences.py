"""Who prefers what: win matrices ``win[p, i, j]`` = P(output i is preferred to output j | prompt p).

Every matrix satisfies ``win + winᵀ = 1``, with one half on the diagonal, and is float64.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

Win = Float[Tensor, "prompts outputs outputs"]
Table = Float[Tensor, "prompts outputs"]


def as_table(values: Tensor) -> Table:
    """``values`` in float64 with a prompt dimension: ``[K]`` becomes ``[1, K]``."""
    return values.to(torch.float64).reshape(-1, values.shape[-1])


def bradley_terry(utility: Tensor) -> Win:
    """σ(u_i − u_j).

    Args:
        utility: nats, shape ``[P, K]`` or ``[K]``.
    """
    u = as_table(utility)
    return torch.sigmoid(u[:, :, None] - u[:, None, :])


def deterministic(utility: Tensor) -> Win:
    """1 where the utility is larger, 0 where it is smaller, one half at ties."""
    u = as_table(utility)
    return 0.5 * (1 + torch.sign(u[:, :, None] - u[:, None, :]))


def flipped(win: Win, rate: float) -> Win:
    """The same preferences seen through labels that are exchanged with probability ``rate``."""
    return (1 - rate) * win + rate * (1 - win)


def cyclic(outputs: int, strength: float = 1.0) -> Win:
    """Rock, paper, scissors: each output beats the ones up to half a turn behind it.

    Args:
        outputs: an odd number, so that everyone beats as many as beat him.
        strength: 1 wins always, 0 never more than half of the time.
    """
    index = torch.arange(outputs)
    behind = (index[:, None] - index[None, :]) % outputs
    sign = torch.where(behind == 0, 0.0, torch.where(behind <= outputs // 2, 1.0, -1.0)).to(torch.float64)
    return (0.5 + 0.5 * strength * sign)[None]


def mixture(wins: Sequence[Win], shares: Sequence[float]) -> Win:
    """What a crowd of different annotators prefers: the average of their matrices.

    Args:
        wins: one matrix for each kind of annotator.
        shares: how frequent each kind is; they are normalised.
    """
    weights = torch.tensor(shares, dtype=torch.float64)
    return torch.einsum("a,apij->pij", weights / weights.sum(), torch.stack(list(wins)))


def win_rate(win: Win, opponent: Table) -> Table:
    """P(output beats a draw from ``opponent``), shape ``[P, K]``."""
    return torch.einsum("pij,pj->pi", win, as_table(opponent))


def threshold_thumbs(utility: Tensor, cut: float = 0.0) -> Table:
    """Thumbs up exactly where the utility exceeds ``cut``: probabilities 0 and 1."""
    return (as_table(utility) > cut).to(torch.float64)


def logistic_thumbs(utility: Tensor, cut: float = 0.0, scale: float = 1.0) -> Table:
    """Thumbs up with probability σ((u − cut) / scale)."""
    return torch.sigmoid((as_table(utility) - cut) / scale)
