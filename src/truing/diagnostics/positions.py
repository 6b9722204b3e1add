"""Where in an answer a model has moved away from its reference: KL by position of the token.

Training on preferences often changes the first tokens most. A change that sits there alone is shallow: what follows is
still the reference's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truing.statistics import Estimate, mean


@dataclass(frozen=True)
class PositionKL:
    """KL per token over a range of positions.

    Attributes:
        first, last: positions within the answer, from 1.
        kl: nats per token, with an interval over answers.
    """

    first: int
    last: int
    kl: Estimate

    @property
    def label(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"

    def as_dict(self) -> dict[str, Any]:
        return {"first": self.first, "last": self.last, **self.kl.as_dict()}


def kl_by_position(own: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> list[PositionKL]:
    """KL(own ‖ other) for positions 1, 2, 3–4, 5–8, 9–16, ..., from answers that ``own`` sampled at temperature 1.

    Each token gives r − 1 − log r with r the ratio of the other's probability to the own: unbiased and never negative
    (Schulman 2020, "Approximating KL divergence", k3). An answer's tokens within a range are averaged first, as they
    are not independent. Positions that fewer than five answers reach are left out.

    Args:
        own, other: log-probabilities of the same answers' tokens under both, nats; one array for each answer.
    """
    gaps = [there - here for here, there in zip(own, other, strict=True)]
    values = [np.expm1(gap) - gap for gap in gaps]
    longest = max((len(value) for value in values), default=0)
    found, first, last = [], 1, 1
    while first <= longest:
        parts = [float(value[first - 1 : last].mean()) for value in values if len(value) >= first]
        if len(parts) >= 5:
            found.append(PositionKL(first, min(last, longest), mean(parts)))
        first, last = last + 1, 2 * last
    return found
