"""Whether a judge prefers its own answers more than others do who judge the same pairs (2410.21819)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from truing.audit.judges.bias_effects import paired_shift
from truing.audit.judges.telling import LEVEL
from truing.diagnostics.audit import audit
from truing.errors import TruingError
from truing.json_values import plain
from truing.judging.measures import by_prompt
from truing.registry import Paper
from truing.statistics import UNKNOWN, Estimate, rate, share


@dataclass(frozen=True)
class SelfPreference:
    """A judge beside a reference on pairs of one of its own answers and somebody else's.

    Attributes:
        pairs: that both have judged.
        judge: share of wins that the judge gives its own answers; ties count one half.
        reference: the share that the reference gives them.
        difference: the former minus the latter; above 0 the judge favours itself. Intervals are over prompts.
        p_value: two-sided, of ``difference``.
        own, other: share of pairs on which the judge agrees where the reference prefers the own answer, or the other.
        gap: ``own`` minus ``other``, the equal-opportunity measure of the paper; above 0 the judge favours itself.
        by_author: the difference beside each author of the other answers.
    """

    pairs: int
    judge: Estimate
    reference: Estimate
    difference: Estimate
    p_value: float
    own: Estimate
    other: Estimate
    gap: Estimate
    by_author: dict[str, Estimate]

    @property
    def found(self) -> bool:
        """Whether the judge treats its own answers otherwise than the reference does, told apart from chance."""
        return self.p_value < LEVEL

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(asdict(self))
        return found

    def sentences(self) -> list[str]:
        """For people."""
        told = "" if self.found else ", which is not told apart from chance"
        lines = [
            f"{self.pairs:,} pairs of an own answer and another's, of {self.difference.n:,} prompts.",
            f"Own answers win {_share(self.judge)} with the judge and {_share(self.reference)} with the reference: "
            f"difference {_points(self.difference)}, p = {self.p_value:.2g}{told}; above 0 the judge favours itself.",
        ]
        if self.gap.n:
            lines.append(
                f"Where the reference prefers the own answer the judge agrees on {_share(self.own)}, where it prefers "
                f"the other's on {_share(self.other)}: gap {_points(self.gap)}; above 0 the judge favours itself."
            )
        lines += [
            f"  beside {name}: {_points(own)}, {own.n:,} prompts, not corrected for how many there are"
            for name, own in self.by_author.items()
            if len(self.by_author) > 1
        ]
        return lines


@audit(
    name="self-preference",
    slug="judge-bias-bench",
    paper=Paper("Self-Preference Bias in LLM-as-a-Judge", 2024, "2410.21819"),
    summary="Compares how often a judge prefers its own answers with how often others do who judge the same pairs.",
    formula="difference = P_judge(own wins) − P_ref(own wins);  gap = P(judge: own | ref: own) − P(judge: other | ref: "
    "other)",
    legend=(
        "own: an answer that the judge, or a model of its family, has written; the other is somebody else's",
        "ref: people, or other judges, on the same pairs",
        "P: share of wins; a tie is one half of a win for each",
    ),
    use_when="A judge ranks models of its own family, or gives rewards to its own policy, and somebody else has judged "
    "the same pairs: `truing audit self-preference VERDICTS --own NAME`.",
    avoid_when="Nobody else has judged the pairs: own answers may simply be better. The difference is 0 for a fair "
    "judge that is as sure as the reference; one that guesses more often pulls own answers that are better than the "
    "others towards one half, and the gap with them.",
    requires=("verdicts of a judge", "who wrote the answers", "verdicts of a reference on the same pairs"),
    cost="nothing beyond the verdicts",
)
def self_preference(
    judge: Sequence[float] | np.ndarray,
    reference: Sequence[float] | np.ndarray,
    *,
    prompts: Sequence[str] | None = None,
    authors: Sequence[str] | None = None,
) -> SelfPreference:
    """Measure it.

    Args:
        judge: share of a win that the judge gives the own answer of each pair, 0 to 1; nan is left out; shape ``[N]``.
        reference: the same by the reference.
        prompts: of each pair; pairs of one prompt are not independent, and are averaged. Each by itself if left out.
        authors: who wrote the other answers.

    Raises:
        TruingError: on shapes or numbers that cannot be, or if no pair was judged by both.
    """
    given, known = (np.asarray(own, dtype=np.float64) for own in (judge, reference))
    keys = np.array(list(map(str, range(len(given)))) if prompts is None else list(prompts), dtype=object)
    names = np.array([""] * len(given) if authors is None else list(authors), dtype=object)
    if given.ndim != 1 or not len(given) == len(known) == len(keys) == len(names):
        raise TruingError(
            f"{len(given)} verdicts of the judge, {len(known)} of the reference, {len(keys)} prompts and {len(names)} "
            "authors",
            where="reference",
            allowed="one of each for every pair",
        )
    both = np.isfinite(given) & np.isfinite(known)
    if not both.any():
        raise TruingError("no pair was judged by both", where="reference", fix="give verdicts on the same pairs")
    given, known, keys, names = given[both], known[both], keys[both], names[both]
    if min(given.min(), known.min()) < 0 or max(given.max(), known.max()) > 1:
        raise TruingError("a share of a win is below 0 or above 1", where="judge, reference", allowed="0 to 1")
    difference, p_value = _difference(given - known, keys)
    own, other = known > 0.5, known < 0.5
    return SelfPreference(
        len(given),
        _wins(given, keys),
        _wins(known, keys),
        difference,
        p_value,
        _wins(given[own], keys[own]),
        _wins(1 - given[other], keys[other]),
        _gap(given, own, other, keys),
        {name: _difference((given - known)[names == name], keys[names == name])[0] for name in sorted(set(names))},
    )


def _wins(shares: np.ndarray, prompts: np.ndarray) -> Estimate:
    """Their mean over prompts with Student's interval; Wilson's where all prompts are alike."""
    means = by_prompt(shares, prompts)
    alike = len(means) < 2 or np.ptp(means) == 0
    return rate(float(means.sum()), len(means)) if alike else share(means)


def _difference(values: np.ndarray, prompts: np.ndarray) -> tuple[Estimate, float]:
    return paired_shift(by_prompt(values, prompts))


def _gap(given: np.ndarray, own: np.ndarray, other: np.ndarray, prompts: np.ndarray) -> Estimate:
    """Difference of two means that share prompts, linearised, with one success and one failure added to each."""
    if not own.any() or not other.any():
        return UNKNOWN
    _, place = np.unique(prompts.astype(str), return_inverse=True)
    residuals, centre, least = np.zeros(int(place.max()) + 1), 0.0, 0.0
    for rows, agreed, sign in ((own, given, 1.0), (other, 1 - given, -1.0)):
        count = int(rows.sum())
        np.add.at(residuals, place[rows], sign * (agreed[rows] - agreed[rows].mean()) / count)
        middle = (agreed[rows].sum() + 1) / (count + 2)
        centre += sign * middle
        least += middle * (1 - middle) / (count + 2)
    groups = len(set(place[own | other].tolist()))
    spread = float((residuals**2).sum()) * groups / (groups - 1) if groups > 1 else math.inf
    value = float(given[own].mean() - (1 - given[other]).mean())
    reach = float(ndtri(0.975)) * math.sqrt(max(spread, least))
    return Estimate(value, max(-1.0, centre - reach), min(1.0, centre + reach), groups)


def _share(own: Estimate) -> str:
    return f"{own.value:.1%} ({own.low:.1%} to {own.high:.1%})"


def _points(own: Estimate) -> str:
    return f"{100 * own.value:+.1f} points (95 % interval {100 * own.low:+.1f} to {100 * own.high:+.1f})"
