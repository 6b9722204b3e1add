"""The audit of the 3D-properties (2406.07327) on two answers in the data and one outside it, worked out by hand.

On free logits DPO moves the chosen logit up and the rejected one down by the same x, and nothing else. With starting
probabilities w, l and n = 1 − w − l the mass outside the data is n / (n + w e^x + l e^−x): largest at e^2x = l / w.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from truing.diagnostics.three_d import ThreeD, neither_mass
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, below, equals
from truing.objectives import dpo
from truing.worlds import ExactPolicy, Tabular, descend, pairs

Measure = Callable[..., ThreeD]


@claim(
    method="3d-properties",
    statement="From an off-policy start (chosen 0.01, rejected 0.60) DPO carries the mass of answers in neither column "
    "from 0.39 to 0.39/(0.39 + 2·√0.006) = 0.716, a dispersion of 0.326.",
    source="2406.07327, property 3; gradient flow on free logits",
)
def disperses_off_policy(measure: Measure, _seed: int) -> Measurement:
    found = [point.dispersion.value for point in _path(measure, 0.01, 0.60)]
    outside = 0.39 / (0.39 + 2 * math.sqrt(0.01 * 0.60))
    return equals(outside - 0.39, max(found), 1e-3, "probability", path=found)


@claim(
    method="3d-properties",
    statement="From an on-policy start (0.45 each) it does not: dispersion stays below 0 while the rejected falls.",
    source="2406.07327: effects are milder for on-policy pairs; the control of the catalogue",
)
def does_not_disperse_on_policy(measure: Measure, _seed: int) -> Measurement:
    path = _path(measure, 0.45, 0.45)[1:]
    fell = all(point.drop.value < 0 for point in path)
    return below(0.0, max(point.dispersion.value for point in path) if fell else math.nan, "probability")


@claim(
    method="3d-properties",
    statement="The chosen answer can gain no more than −log 0.01 = 4.605 nats, and the rejected one loses more than "
    "that.",
    source="2406.07327, properties 1 and 2: |dL/dπ_l| / |dL/dπ_w| = π_w/π_l grows without bound",
)
def drop_outgrows_the_gain(measure: Measure, _seed: int) -> Measurement:
    end = _path(measure, 0.01, 0.60)[-1]
    lost = end.drop.value if 0 < end.degradation.value < -math.log(0.01) else math.nan
    return below(math.log(0.01), lost, "nats", chosen=end.degradation.value)


def _path(measure: Measure, chosen: float, rejected: float) -> list[ThreeD]:
    """What the audit says of a policy at every step of DPO."""
    logps = _trained(chosen, rejected)
    change, mass = logps - logps[0], [neither_mass(row[None, 0], row[None, 1]) for row in logps]
    return [measure(row[None, 0], row[None, 1], now, mass[0]) for row, now in zip(change, mass, strict=True)]


@cache
def _trained(chosen: float, rejected: float) -> Float[np.ndarray, "steps three"]:
    """Log-probabilities of chosen, rejected and the answer outside, before each step of DPO and after the last."""
    rows: list[Tensor] = []

    def watch(policy: ExactPolicy) -> dict[str, float]:
        rows.append(policy.logps().detach()[0])
        return {}

    start = torch.tensor([chosen, rejected, 1 - chosen - rejected], dtype=torch.float64).log()
    descend(Tabular(start), dpo(beta=0.1), pairs([0], [1]), steps=700, rate=0.3, watch=watch)
    return torch.stack(rows).numpy()
