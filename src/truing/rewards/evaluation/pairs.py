"""A reward model on labelled pairs: what it gets right, where, how sure it is, and how much it follows length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from truing.json_values import plain
from truing.rewards.evaluation.calibration import Calibration, calibration
from truing.statistics import Estimate, mean, rank_correlation, rate

_MOST_PARTS, _LEAST_PAIRS = 6, 10


@dataclass(frozen=True)
class JudgedPairs:
    """What a reward says of labelled pairs.

    Attributes:
        ids: of the records.
        rewards: of chosen and rejected, so that their difference is the log-odds of the preference.
        lengths: tokens of chosen and rejected.
        subsets: what part of the data each pair belongs to; empty text where that is not said.
        odds: whether gaps are log-odds; those of ratings and of expected values put in order, and say no confidence.
    """

    ids: Sequence[str]
    rewards: Float[np.ndarray, "pairs two"]
    lengths: Int[np.ndarray, "pairs two"]
    subsets: Sequence[str]
    odds: bool = True

    @property
    def log_odds(self) -> Float[np.ndarray, " pairs"]:
        """That the answer which people chose is preferred, nats; without :attr:`odds` a gap in the reward's units."""
        found: np.ndarray = self.rewards[:, 0] - self.rewards[:, 1]
        return found

    @property
    def right(self) -> Float[np.ndarray, " pairs"]:
        """1 where the reward agrees with the label, one half where it is undecided."""
        found: np.ndarray = np.where(self.log_odds > 0, 1.0, np.where(self.log_odds < 0, 0.0, 0.5))
        return found


@dataclass(frozen=True)
class LengthBin:
    """Pairs whose answers differ in length by about as much.

    Attributes:
        low, high: tokens by which the chosen answer is longer, at least and at most.
        accuracy: of these pairs.
    """

    low: int
    high: int
    accuracy: Estimate


@dataclass(frozen=True)
class PairReport:
    """How a reward does on labelled pairs.

    Attributes:
        accuracy: share of pairs in the right order; ties count one half.
        macro_accuracy: mean over subsets of their accuracies; benchmarks report it.
        subsets: accuracy of each.
        ties: pairs with equal rewards.
        calibration: see :class:`Calibration`; without bins where gaps are no log-odds.
        gap: mean of the log-odds.
        length_correlation: Spearman's, of log-odds with how much longer the chosen answer is.
        chosen_longer, chosen_shorter: accuracy where the chosen answer is the longer or the shorter one.
        by_length: accuracy by how much longer the chosen answer is, in parts of about equal size.
    """

    accuracy: Estimate
    macro_accuracy: float
    subsets: dict[str, Estimate]
    ties: int
    calibration: Calibration
    gap: Estimate
    length_correlation: Estimate
    chosen_longer: Estimate
    chosen_shorter: Estimate
    by_length: tuple[LengthBin, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(
            {
                "accuracy": self.accuracy.as_dict(),
                "macro_accuracy": self.macro_accuracy,
                "subsets": {name: estimate.as_dict() for name, estimate in self.subsets.items()},
                "ties": self.ties,
                "calibration": self.calibration.as_dict(),
                "gap": self.gap.as_dict(),
                "length_correlation": self.length_correlation.as_dict(),
                "chosen_longer": self.chosen_longer.as_dict(),
                "chosen_shorter": self.chosen_shorter.as_dict(),
                "by_length": [asdict(part) for part in self.by_length],
            }
        )
        return found


def judge_pairs(pairs: JudgedPairs) -> PairReport:
    """Everything that labelled pairs tell about a reward."""
    right = pairs.right
    names = list(dict.fromkeys(name for name in pairs.subsets if name))
    labels = np.array(list(pairs.subsets), dtype=object)
    subsets = {name: accuracy_of(right[labels == name]) for name in names}
    longer = pairs.lengths[:, 0] - pairs.lengths[:, 1]
    accuracy = accuracy_of(right)
    return PairReport(
        accuracy=accuracy,
        macro_accuracy=float(np.mean([e.value for e in subsets.values()])) if subsets else accuracy.value,
        subsets=subsets,
        ties=int((pairs.log_odds == 0).sum()),
        calibration=calibration(pairs.log_odds if pairs.odds else np.zeros(0)),
        gap=mean(pairs.log_odds),
        length_correlation=rank_correlation(pairs.log_odds, longer),
        chosen_longer=accuracy_of(right[longer > 0]),
        chosen_shorter=accuracy_of(right[longer < 0]),
        by_length=_by_length(right, longer),
    )


def _by_length(right: Float[np.ndarray, " pairs"], longer: Int[np.ndarray, " pairs"]) -> tuple[LengthBin, ...]:
    """Parts between quantiles; pairs of one difference stay together."""
    count = min(_MOST_PARTS, len(right) // _LEAST_PAIRS)
    if count < 2:
        return ()
    edges = np.unique(np.quantile(longer, np.linspace(0, 1, count + 1)[1:-1]))
    place = np.digitize(longer, edges)
    parts = [(longer[place == number], right[place == number]) for number in range(len(edges) + 1)]
    return tuple(
        LengthBin(int(own.min()), int(own.max()), accuracy_of(correct)) for own, correct in parts if len(own)
    )


def accuracy_of(right: Float[np.ndarray, " pairs"]) -> Estimate:
    """Share of pairs that are right, with its interval; one half for a tie."""
    return rate(float(right.sum()), len(right))
