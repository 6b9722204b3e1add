"""DiscoPOP (2406.08414)."""

from __future__ import annotations

import torch
from scipy.optimize import brentq

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import gap, random_policy, sensitivity, versus
from truing.objectives import Batch, Scores
from truing.worlds import fit


@claim(
    method="discopop",
    statement="For beta = tau = 0.05 the loss has a local minimum at a log-ratio gap of −2.3714 nats, and "
    "training that starts at the reference ends there, with the pair in the wrong order.",
    source="2406.08414, section on the shape of the loss: f'(−2.3714) = 0",
)
def local_minimum(make: Factory, seed: int) -> Measurement:
    reference = random_policy(seed, outputs=2)
    trained = fit(reference, make(beta=0.05, tau=0.05), versus(0, 1, 1.0)).policy
    return equals(-2.3714, gap(trained, reference), 1e-3, "nats")


@claim(
    method="discopop",
    statement="For beta = tau = 0.05 the loss has a local maximum at a log-ratio gap of 1.44012 nats; only pairs "
    "beyond it are driven apart.",
    source="2406.08414, section on the shape of the loss: f'(1.44012) = 0",
)
def local_maximum(make: Factory, _seed: int) -> Measurement:
    objective = make(beta=0.05, tau=0.05)
    reference = torch.full((2,), -3.0, dtype=torch.float64)

    def slope(margin: float) -> float:
        policy = reference + torch.tensor([margin, 0.0], dtype=torch.float64)
        return float(sensitivity(objective, Scores.from_sequences(policy, reference), Batch.pairs(1))[0])

    low, high = 0.5, 3.0
    found = brentq(slope, low, high) if slope(low) > 0 > slope(high) else float("nan")
    return equals(1.44012, found, 1e-3, "nats")
