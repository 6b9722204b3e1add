"""Win rates of a policy whose answers go through best-of-n or worst-of-n, against a reference that does the same.

Everything happens on the quantile u of an answer among the reference's answers, on a grid of equal cells: the reference
is uniform, a policy is a density f with distribution function F (2412.19792).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

Cells = Float[Tensor, " cells"]


def quantiles(cells: int) -> Cells:
    """The middle of each cell of [0, 1]."""
    return (torch.arange(cells, dtype=torch.float64) + 0.5) / cells


def distribution(policy: Cells) -> Cells:
    """F in the middle of each cell, of the probability of each cell."""
    return policy.cumsum(0) - policy / 2


def win_rate_of_one(policy: Cells) -> float:
    """P(an answer of the policy beats one of the reference): 1 − ∫ F."""
    return float(1 - distribution(policy).mean())


def win_rate_of_best(policy: Cells, n: int) -> float:
    """P(the best of n answers beats the best of n): 1 − ∫ n u^(n−1) F^n."""
    u = quantiles(len(policy))
    return float(1 - (n * u ** (n - 1) * distribution(policy) ** n).mean())


def win_rate_of_worst(policy: Cells, n: int) -> float:
    """P(the worst of n answers beats the worst of n): ∫ n (1 − u)^(n−1) (1 − F)^n."""
    u = quantiles(len(policy))
    return float((n * (1 - u) ** (n - 1) * (1 - distribution(policy)) ** n).mean())
