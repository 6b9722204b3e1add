"""EXO for pairs (2402.00856)."""

from __future__ import annotations

import torch

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, below, equals
from truing.evidence.setups import WORLDS, gap, random_policy, versus
from truing.objectives import cdpo
from truing.worlds import LogLinear, deterministic, entropy, exact_pairs, exo_gap, fit


@claim(
    method="exo",
    statement="Contradicting labels are averaged as log-odds: with win rate 0.8 and eps = 0.05 the optimum is "
    "beta·d = (2p − 1)·log((1 − eps)/eps) = 1.767; cDPO, which averages probabilities, ends at 1.208.",
    source="minimum over q of the expected reverse KL of 2402.00856, eq. 16",
)
def averages_log_odds(make: Factory, seed: int) -> Measurement:
    reference, beta, eps, share = random_policy(seed, outputs=2), 0.5, 0.05, 0.8
    trained = fit(reference, make(beta=beta, eps=eps), versus(0, 1, share)).policy
    return equals(beta * exo_gap(share, beta, eps), beta * gap(trained, reference), 1e-3, "nats")


@claim(
    method="exo",
    statement="Where a family of discretised Gaussians cannot fit two peaks, EXO ends with less entropy than cDPO "
    "with the same smoothed labels (20 worlds).",
    source="2402.00856: reverse KL commits where forward KL covers",
)
def commits_more_than_cdpo(make: Factory, seed: int) -> Measurement:
    grid = torch.linspace(-3, 3, 15, dtype=torch.float64)
    family = LogLinear(torch.stack([grid, -grid.square()], -1))
    beta, eps = 0.2, 0.05
    differences = []
    for world in range(2 * WORLDS):
        generator = torch.Generator().manual_seed(1000 * seed + world)
        left, right, lower = torch.rand(3, generator=generator, dtype=torch.float64)
        peaks = torch.stack([-(grid + 1 + left).square() / 0.2, -(grid - 1 - right).square() / 0.2 - lower])
        data = exact_pairs(deterministic(peaks.logsumexp(0)))
        ours, covering = (
            entropy(fit(family, objective, data, tolerance=1e-7).policy.probabilities())
            for objective in (make(beta=beta, eps=eps), cdpo(beta=beta, eps=eps))
        )
        differences.append(ours - covering)
    return below(0.0, differences, "nats of entropy")
