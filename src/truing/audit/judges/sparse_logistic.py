"""Logistic regression of verdicts on property differences, without intercept, weights Laplace(0, scale) a priori.

A pair enters as one row, the differences of the preferred answer minus the other: the likelihood knows nothing else.
What changes places therefore changes nothing, to the last bit.
"""

from __future__ import annotations

import numpy as np

from truing.audit.judges.polya_gamma import polya_gamma

_SMALLEST = 1e-8
# A weight nearer to 0 would make the mean of its precision too large for the sampler of the inverse Gaussian.


def map_weights(toward: np.ndarray, scale: float, counts: np.ndarray | None = None) -> np.ndarray:
    """The mode of the posterior: argmin Σ log(1 + e^(−d·a)) + |a|₁/scale.

    Args:
        toward: preferred minus other, shape ``[pairs, properties]``.
        scale: of the prior.
        counts: how often a pair counts; once if left out.

    Returns:
        Weights, nats, shape ``[properties]``.
    """
    from sklearn.linear_model import LogisticRegression

    counts = np.ones(len(toward)) if counts is None else counts
    used = np.repeat(toward[counts > 0], 2, axis=0)
    weights = np.repeat(counts[counts > 0], 2) / 2
    # The library wants both classes. Every row is given as it is and mirrored, half each, which is the same loss.
    label = np.tile([1, -1], len(used) // 2)
    model = LogisticRegression(
        l1_ratio=1.0, C=scale, fit_intercept=False, solver="liblinear", tol=1e-6, max_iter=2000, random_state=0
    )
    model.fit(used * label[:, None], label, sample_weight=weights)
    found: np.ndarray = model.coef_[0].copy()
    return found


def posterior_draws(
    toward: np.ndarray,
    scale: float,
    keep: np.ndarray,
    rng: np.random.Generator,
    *,
    warm_up: int = 200,
    draws: int = 800,
) -> np.ndarray:
    """Draws from the posterior by Gibbs sampling.

    Given Pólya-Gamma variables the likelihood is normal (1205.0310), and given a scale for each weight the prior is
    (Park and Casella, 2008). The authors' code samples the same posterior with NUTS.

    Args:
        toward: preferred minus other, shape ``[pairs, properties]``.
        scale: of the prior.
        keep: which pairs each chain sees, shape ``[chains, pairs]``.
        rng: of the draws.
        warm_up, draws: rounds that are thrown away, and kept, of each chain.

    Returns:
        Weights, nats, shape ``[draws, chains, properties]``.
    """
    keep = np.asarray(keep, dtype=np.float64)
    chains, properties = len(keep), toward.shape[1]
    pull = keep @ toward / 2
    weights = np.zeros((chains, properties))
    precision = np.full((chains, properties), 1 / scale**2)
    found = np.empty((draws, chains, properties))
    for number in range(warm_up + draws):
        omega = polya_gamma(weights @ toward.T, rng) * keep
        inverse = np.matmul(omega[:, None] * toward.T, toward)
        inverse[:, np.arange(properties), np.arange(properties)] += precision
        root = np.linalg.cholesky(inverse)
        noise = np.linalg.solve(root.transpose(0, 2, 1), rng.standard_normal((chains, properties, 1)))
        weights = (np.linalg.solve(inverse, pull[..., None]) + noise)[..., 0]
        precision = rng.wald(1 / (scale * np.maximum(np.abs(weights), _SMALLEST)), 1 / scale**2)
        if number >= warm_up:
            found[number - warm_up] = weights
    return found
