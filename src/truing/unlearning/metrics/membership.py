"""Membership inference: telling answers that were trained on from answers that never were.

An attack gives every answer a score, higher for what looks known. The area under the ROC curve is the chance that an
answer of the forget set scores above one of the holdout set. A model that never saw either is at 0.5; above it the
answers are still known, and *below* it they are conspicuously unknown, which gives them away as well.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import optimize, stats

from truing.errors import DataError
from truing.statistics import Estimate
from truing.unlearning.metrics.answers import AnswerScores
from truing.unlearning.metrics.resampling import percentile_interval

SHARE = 0.4
"""Share of the least likely tokens that Min-K% looks at: 0.4 in MUSE (2407.06460) and OpenUnlearning."""


def loss_attack(tokens: np.ndarray, text: str) -> float:
    """LOSS (Yeom et al. 2018): mean log-probability of the answer's tokens, nats."""
    return float(tokens.mean())


def zlib_attack(tokens: np.ndarray, text: str) -> float:
    """ZLib (Carlini et al. 2021): the same over the bytes that zlib needs, since plain text is likely anyway."""
    return float(tokens.mean()) / len(zlib.compress(text.encode()))


def min_k_attack(tokens: np.ndarray, text: str) -> float:
    """Min-K% (2310.16789): mean over the least likely share of tokens, at least one; known text has no surprises."""
    count = max(1, int(len(tokens) * SHARE))
    return float(np.sort(tokens)[:count].mean())


ATTACKS: Mapping[str, Callable[[np.ndarray, str], float]] = {
    "loss": loss_attack,
    "zlib": zlib_attack,
    "min-k": min_k_attack,
}


def attack(name: str, scores: AnswerScores) -> np.ndarray:
    """Scores of one attack on every answer, the tokens that end it left out; shape ``[N]``."""
    rule = ATTACKS[name]
    return np.array(
        [
            rule(tokens[:count], item.answer)
            for tokens, count, item in zip(scores.answer, scores.content, scores.items, strict=True)
        ]
    )


def auc(members: np.ndarray, others: np.ndarray) -> Estimate:
    """Area under the ROC curve: P(member > other) + P(tie)/2, with an interval that is sound near 0 and 1 too.

    The interval is Newcombe's (2006, method 5): the Hanley-McNeil variance at the unknown area, not at its estimate.
    ``n`` is the smaller of the two numbers of answers.

    Args:
        members, others: scores, each without nan and not empty.

    Raises:
        DataError: if a side is empty or has a value that is not a number.
    """
    for name, values in (("trained on", members), ("held out", others)):
        if len(values) == 0 or np.isnan(values).any():
            raise DataError(
                f"no area under the curve: the answers that were {name} have "
                + ("a score that is not a number" if len(values) else "no scores")
            )
    value = area(members, others)
    return Estimate(value, *_interval(value, len(members), len(others)), min(len(members), len(others)))


def area(members: np.ndarray, others: np.ndarray) -> float:
    """The area alone, from ranks."""
    n, m = len(members), len(others)
    ranks = stats.rankdata(np.concatenate([members, others]))[:n]
    return float((ranks.sum() - n * (n + 1) / 2) / (n * m))


def privacy_leak(
    members: np.ndarray, others: np.ndarray, retrained_members: np.ndarray, retrained_others: np.ndarray
) -> Estimate:
    """(AUC − AUC of the retrained model) / the latter (MUSE, 2407.06460), with a bootstrap interval over the answers.

    0 is perfect. Above 0 the model still knows too much, below 0 it was pushed too far.
    """
    n, m = len(members), len(others)

    def leak(picked: Sequence[np.ndarray]) -> float:
        first, second = picked
        base = area(retrained_members[first], retrained_others[second])
        return (area(members[first], others[second]) - base) / base if base > 0 else math.nan

    value = leak([np.arange(n), np.arange(m)])
    return Estimate(value, *percentile_interval(leak, [n, m]), min(n, m))


def _interval(value: float, n: int, m: int) -> tuple[float, float]:
    half = (n + m) / 2 - 1
    z = float(stats.norm.ppf(0.975))

    def variance(a: float) -> float:
        return a * (1 - a) * (1 + half * ((1 - a) / (2 - a) + a / (1 + a))) / (n * m)

    def excess(a: float) -> float:
        return (value - a) ** 2 - z**2 * variance(a)

    # The excess is positive at 0 and 1 and negative at the estimate, so that there is a root on either side. At an
    # estimate of 0 or 1 it vanishes, which is not the root that is meant.
    inside = min(max(value, 1e-9), 1 - 1e-9)
    low = 0.0 if value <= 0 else float(optimize.brentq(excess, 0.0, inside))
    high = 1.0 if value >= 1 else float(optimize.brentq(excess, inside, 1.0))
    return low, high
