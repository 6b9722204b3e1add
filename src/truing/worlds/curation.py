"""Users keep one of K samples, and the next model is fitted to what was kept (2407.09499): exact rounds of it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor


def counts(total: int, outputs: int) -> Iterator[tuple[int, ...]]:
    """All ways to draw ``total`` samples, as how often each of ``outputs`` answers is among them."""
    if outputs == 1:
        yield (total,)
        return
    for own in range(total + 1):
        for rest in counts(total - own, outputs - 1):
            yield (own, *rest)


def keep_factor(
    law: Float[Tensor, " outputs"], reward: Float[Tensor, " outputs"], candidates: int | None
) -> Float[Tensor, " outputs"]:
    """H(x): how much more of an answer there is among kept samples than among drawn ones; at most ``candidates``.

    H(x) = E over K − 1 other samples of K e^R(x) / (e^R(x) + Σ_j e^R(x_j)), by enumeration of all samples;
    e^R(x)/E[e^R] in the limit of many candidates. All sums of exponentials are taken as logarithms.

    Args:
        law: probabilities, may be 0.
        reward: nats of Luce's rule.
        candidates: K; ``None`` for infinitely many.
    """
    if candidates is None:
        return torch.exp(reward - torch.logsumexp(torch.special.xlogy(torch.ones_like(law), law) + reward, 0))
    others = torch.tensor(list(counts(candidates - 1, len(law))), dtype=torch.float64)
    ways = math.lgamma(candidates) - torch.lgamma(others + 1).sum(1)
    logp = ways + torch.special.xlogy(others, law).sum(1)
    rivals = torch.logsumexp(others.log() + reward, 1)
    share = reward[:, None] - torch.logaddexp(reward[:, None], rivals[None])
    factor: Tensor = candidates * (logp + share).exp().sum(1)
    return factor


def curated(
    law: Float[Tensor, " outputs"],
    reward: Float[Tensor, " outputs"],
    candidates: int | None,
    real: Float[Tensor, " outputs"] | None = None,
    synthetic: float = 1.0,
) -> Float[Tensor, " outputs"]:
    """The next model, fitted exactly to what was kept, and to real data where there are some.

    Args:
        law, reward, candidates: see :func:`keep_factor`.
        real: law of the real data.
        synthetic: kept samples for every real one.
    """
    kept = law * keep_factor(law, reward, candidates)
    # Rounding would otherwise be squared in every round.
    kept = kept / kept.sum()
    return kept if real is None else (real + synthetic * kept) / (1 + synthetic)
