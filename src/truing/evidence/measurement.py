"""One comparison of what theory predicts with what was measured; the verdict is computed, never given."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy import stats

Relation = Literal["=", ">", "<"]


@dataclass(frozen=True)
class Measurement:
    """A prediction and a measurement.

    Args:
        predicted: the number, or the bound, that theory gives.
        measured: what came out.
        unit: of both, e.g. ``"nats"`` or ``"total variation"``.
        relation: ``"="`` for a number, ``">"`` or ``"<"`` for a direction.
        tolerance: largest allowed distance from a number; 0 for a direction in a world without chance.
        interval: 95 % confidence interval of ``measured``; a direction passes only if all of it lies on the
            predicted side of the bound.
        details: further numbers, for plots and tables.
    """

    predicted: float
    measured: float
    unit: str
    relation: Relation = "="
    tolerance: float | None = None
    interval: tuple[float, float] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the measurement agrees with the prediction; ``nan`` never does."""
        low, high = self.interval if self.interval is not None else (self.measured, self.measured)
        if self.relation == ">":
            return low > self.predicted
        if self.relation == "<":
            return high < self.predicted
        return self.tolerance is not None and abs(self.measured - self.predicted) <= self.tolerance


def equals(predicted: float, measured: float, tolerance: float, unit: str, **details: Any) -> Measurement:
    """The measurement is within ``tolerance`` of the predicted number."""
    return Measurement(predicted, measured, unit, "=", tolerance=tolerance, details=details)


def above(bound: float, measured: float | Sequence[float], unit: str, **details: Any) -> Measurement:
    """The measurement exceeds ``bound``; with several values, the 95 % interval of their mean does."""
    return _direction(">", bound, measured, unit, details)


def below(bound: float, measured: float | Sequence[float], unit: str, **details: Any) -> Measurement:
    """The measurement is under ``bound``; with several values, the 95 % interval of their mean is."""
    return _direction("<", bound, measured, unit, details)


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval of the mean of independent values; ``nan`` for fewer than two.

    For a comparison of two methods in the same worlds pass the differences, so that it is paired.
    """
    if len(values) < 2:
        return math.nan, math.nan
    sample = np.asarray(values, dtype=float)
    error = float(sample.std(ddof=1)) / math.sqrt(len(sample))
    reach = float(stats.t.ppf(0.5 + confidence / 2, len(sample) - 1)) * error
    mean = float(sample.mean())
    return mean - reach, mean + reach


def _direction(
    relation: Relation, bound: float, measured: float | Sequence[float], unit: str, details: dict[str, Any]
) -> Measurement:
    if isinstance(measured, int | float):
        return Measurement(bound, float(measured), unit, relation, tolerance=0.0, details=details)
    mean = float(np.mean(measured))
    values = {"values": [float(value) for value in measured], **details}
    return Measurement(bound, mean, unit, relation, interval=mean_interval(measured), details=values)
