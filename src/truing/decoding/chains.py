"""Whether Markov chains have run long enough: split R-hat and effective sample size (1903.08008)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def split_rhat(series: Float[np.ndarray, "chains steps"]) -> float:
    """√(variance of all / variance within), each chain cut in two; near 1 where chains agree, with themselves too.

    1 for series that never change; ``nan`` below four steps.
    """
    halves = _halves(series)
    if halves.shape[1] < 2:
        return float("nan")
    within, between = _variances(halves)
    n = halves.shape[1]
    if within == 0:
        return 1.0 if between == 0 else float("inf")
    return float(np.sqrt(((n - 1) / n * within + between / n) / within))


def effective_size(series: Float[np.ndarray, "chains steps"]) -> float:
    """How many independent draws the chains are worth: chains · steps / (1 + 2 Σ ρ), pairs of ρ positive and falling.

    ``nan`` below four steps; the number of steps for series that never change.
    """
    halves = _halves(series)
    chains, n = halves.shape
    if n < 2:
        return float("nan")
    within, between = _variances(halves)
    variance = (n - 1) / n * within + between / n
    if variance == 0:
        return float(chains * n)
    covariance = np.mean([_autocovariance(chain) for chain in halves], axis=0)
    rho = 1 - (within - covariance * n / (n - 1)) / variance
    rho[0] = 1.0
    pairs = rho[: n - n % 2].reshape(-1, 2).sum(1)
    kept = np.minimum.accumulate(pairs[: int(np.argmax(pairs <= 0)) if (pairs <= 0).any() else len(pairs)])
    tau = max(-1 + 2 * float(kept.sum()), 1 / np.log10(chains * n + 10))
    return float(chains * n / tau)


def _halves(series: np.ndarray) -> np.ndarray:
    half = series.shape[1] // 2
    return np.concatenate([series[:, :half], series[:, series.shape[1] - half :]])


def _variances(chains: np.ndarray) -> tuple[float, float]:
    within = float(chains.var(axis=1, ddof=1).mean())
    between = float(chains.shape[1] * chains.mean(axis=1).var(ddof=1))
    return within, between


def _autocovariance(chain: np.ndarray) -> np.ndarray:
    n = len(chain)
    centred = np.fft.rfft(chain - chain.mean(), 2 * n)
    found: np.ndarray = np.fft.irfft(centred * centred.conj())[:n] / n
    return found
