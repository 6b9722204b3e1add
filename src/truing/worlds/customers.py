"""Customers of two types, whose values are mostly zero or often large (after 2408.08585)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Customers:
    """Records with what no model is told.

    Attributes:
        features: of each; the first two tell the type, the third moves values up in one type and down in the other.
        values: at least 0.
        kind: 0 for those who hardly ever buy, 1 for the others.
    """

    features: Float[np.ndarray, "records three"]
    values: Float[np.ndarray, " records"]
    kind: Int[np.ndarray, " records"]


def customers(seed: int, count: int) -> Customers:
    """Half are 90 % zeros and log-normal(1, 0.5) else; half are 50 % zeros and log-normal(4, 1) else."""
    draw = np.random.default_rng(seed)
    features = draw.normal(size=(count, 3))
    kind = (features[:, 0] + features[:, 1] > 0).astype(int)
    some = draw.random(count) < np.where(kind == 1, 0.5, 0.1)
    location = np.where(kind == 1, 4.0, 1.0) + np.where(kind == 1, 1.2, -1.2) * features[:, 2]
    logs = location + np.where(kind == 1, 1.0, 0.5) * draw.normal(size=count)
    return Customers(features, np.where(some, np.exp(logs), 0.0), kind)
