"""Robust preference selection (2510.20498): a model whose answers get worse outside of the directions it was taught."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from truing.decoding.rps import neighbours
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below

_SOURCE = "catalogue, rps: simulated conditional policy"
_TAUGHT, _DRAWS, _COUNT = 20.0, 4000, 5


def _gain(made: Any, at: float, seed: int, *, flat: bool = False) -> float:
    """Mean score under v of the choice among neighbours, less that of as many answers at v itself."""
    generator = torch.Generator().manual_seed(seed)

    def vector(degrees: float) -> Tensor:
        angle = math.radians(degrees)
        return torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)

    target = vector(at)
    centre = vector(0.0)
    means = []
    near = neighbours(target, made.k, made.theta, generator)
    for directions in (near, target.repeat(_COUNT, 1)):
        luck = torch.randn(_DRAWS, len(directions), generator=generator, dtype=torch.float64)
        away = torch.rad2deg((directions @ centre).clamp(-1, 1).acos())
        quality = torch.zeros(len(directions)) if flat else -0.08 * (away - _TAUGHT).clamp(min=0)
        # An answer to v_i is worth less under v, the further apart they are.
        agreement = 3 * (directions @ target)
        means.append(float((quality + agreement + luck).max(1).values.mean()))
    return means[0] - means[1]


def _make(make: Any) -> Any:
    return make(target={"helpful": 1.0, "brief": 1.0}, k=_COUNT)


@claim(
    method="rps",
    statement="At 45 degrees, outside of the 20 that the model was taught, neighbours gain more than as many answers "
    "at the direction itself, by more than 0.",
    source=_SOURCE,
)
def gains_outside(make: Any, seed: int) -> Measurement:
    return above(0.0, [_gain(_make(make), 45.0, 8 * seed + n) for n in range(4)], "score")


@claim(
    method="rps",
    statement="Further outside the gain is larger: from 30 to 50 degrees it rises by more than 0.",
    source=_SOURCE,
)
def grows_with_the_angle(make: Any, seed: int) -> Measurement:
    rises = [_gain(_make(make), 50.0, 8 * seed + n) - _gain(_make(make), 30.0, 8 * seed + n) for n in range(4)]
    return above(0.0, rises, "score")


@claim(
    method="rps",
    statement="Inside of what the model was taught neighbours lose against as many answers at the direction: below 0.",
    source=f"{_SOURCE}; the entry's losses inside the cap",
)
def loses_inside(make: Any, seed: int) -> Measurement:
    return below(0.0, [_gain(_make(make), 5.0, 8 * seed + n) for n in range(4)], "score")


@claim(
    method="rps",
    statement="Where all directions are answered equally well it does not win: the gain is below 0.",
    source=f"{_SOURCE}; control",
)
def no_gain_without_its_assumption(make: Any, seed: int) -> Measurement:
    gains = [_gain(_make(make), float(angle), seed, flat=True) for angle in np.linspace(0, 60, 4)]
    return below(0.0, gains, "score")
