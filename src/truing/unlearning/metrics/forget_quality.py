"""Forget quality: telling the unlearned model from one that never saw the data (TOFU, 2401.06121, section 2.2.3)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from truing.errors import DataError

# Asymptotic critical value of the two-sample Kolmogorov-Smirnov statistic at 5 %.
CRITICAL = 1.3581


@dataclass(frozen=True)
class ForgetQuality:
    """Two-sample Kolmogorov-Smirnov test of truth ratios.

    Attributes:
        p_value: of the hypothesis that both models' truth ratios have the same distribution. Above 0.05 they cannot
            be told apart; this shows forgetting only if ``detectable`` is small.
        statistic: largest distance D between the two distribution functions, 0 to 1.
        low, high: 95 % interval of D that holds for any distribution (Dvoretzky-Kiefer-Wolfowitz; conservative).
        detectable: the smallest D that so few questions would have found at 5 %.
        n, n_retrained: questions behind either distribution.
    """

    p_value: float
    statistic: float
    low: float
    high: float
    detectable: float
    n: int
    n_retrained: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def forget_quality(unlearned: np.ndarray, retrained: np.ndarray) -> ForgetQuality:
    """Compare truth ratios on the forget set.

    Args:
        unlearned: log truth ratios of the model that was made to forget, shape ``[N]``.
        retrained: those of a model that was trained without the forget set, shape ``[M]``.

    Raises:
        DataError: if a side is empty or has a value that is not a number.
    """
    for name, values in (("unlearned", unlearned), ("retrained", retrained)):
        if len(values) == 0:
            raise DataError("there are no truth ratios to compare", where=f"the {name} model")
        if np.isnan(values).any():
            raise DataError("a truth ratio is not a number", where=f"the {name} model")
    n, m = len(unlearned), len(retrained)
    test = stats.ks_2samp(unlearned, retrained)
    distance = float(test.statistic)
    reach = sum(math.sqrt(math.log(4 / 0.05) / (2 * size)) for size in (n, m))
    return ForgetQuality(
        p_value=float(test.pvalue),
        statistic=distance,
        low=max(0.0, distance - reach),
        high=min(1.0, distance + reach),
        detectable=min(1.0, CRITICAL * math.sqrt((n + m) / (n * m))),
        n=n,
        n_retrained=m,
    )
