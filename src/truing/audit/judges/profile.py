"""Which factors of answers go with preference: of people, of a model that judges, of the same model as it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from truing.audit.judges.factor_scores import Scores, Ties, factor_scores
from truing.audit.judges.telling import LEVEL, after_holm, normal_p_values
from truing.diagnostics.audit import audit
from truing.errors import TruingError
from truing.json_values import plain
from truing.registry import Paper
from truing.statistics import Estimate

CORRELATIONS = ("kendall", "spearman", "pearson")


@dataclass(frozen=True)
class Factors:
    """Scores of one annotator; every ``n`` counts the pairs that differ in the factor.

    Attributes:
        name: who.
        pairs: decided pairs.
        tau: factor scores, −1 to 1.
        matched: the same over pairs of about equal length.
        partial: correlation of factor and preference given which answer is longer.
    """

    name: str
    pairs: int
    tau: tuple[Estimate, ...]
    matched: tuple[Estimate, ...]
    partial: tuple[Estimate, ...]


@dataclass(frozen=True)
class Profile:
    """Factor-level preferences.

    Attributes:
        factors: names.
        annotators: in the order in which they come.
        agreement: of two annotators by name: correlations of their factor scores over factors, with bootstrap
            intervals.
        gaps: of two annotators by name: score of the second minus that of the first, by factor.
        doubt: p-values of the gaps, after Holm over all of them.
        undecided: rows without a preference.
    """

    factors: tuple[str, ...]
    annotators: tuple[Factors, ...]
    agreement: dict[tuple[str, str], dict[str, Estimate]]
    gaps: dict[tuple[str, str], tuple[Estimate, ...]]
    doubt: dict[tuple[str, str], tuple[float, ...]]
    undecided: int

    def misaligned(self, one: str, other: str) -> tuple[tuple[str, Estimate], ...]:
        """Factors that ``other`` weighs differently from ``one``, told apart from chance after Holm; largest gap first.

        The family is all factors of all two annotators.
        """
        named = zip(self.factors, self.gaps[one, other], self.doubt[one, other], strict=True)
        told = [(name, gap) for name, gap, doubt in named if doubt < LEVEL]
        return tuple(sorted(told, key=lambda own: -abs(own[1].value)))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(
            {
                "factors": self.factors,
                "annotators": [asdict(own) for own in self.annotators],
                "agreement": [
                    {"of": list(pair), **{name: asdict(value) for name, value in own.items()}}
                    for pair, own in self.agreement.items()
                ],
                "gaps": [
                    {"of": list(pair), "by": list(map(asdict, own)), "p_holm": self.doubt[pair]}
                    for pair, own in self.gaps.items()
                ],
                "undecided": self.undecided,
            }
        )
        return found

    def sentences(self) -> list[str]:
        """For people."""
        lines = []
        for own in self.annotators:
            lines.append(
                f"{own.name}, {own.pairs:,} pairs; factor score (95 % interval of each by itself), and given which "
                "answer is longer; above 0 more of the factor is preferred:"
            )
            order = sorted(
                range(len(self.factors)), key=lambda place: -np.nan_to_num(own.tau[place].value, nan=-2)
            )
            for place in order:
                tau, rest = own.tau[place], own.partial[place]
                lines.append(
                    f"  {self.factors[place]}: {tau.value:+.2f} ({tau.low:+.2f} to {tau.high:+.2f}); "
                    f"{rest.value:+.2f} ({rest.low:+.2f} to {rest.high:+.2f})"
                )
        for (one, other), found in self.agreement.items():
            kendall = found["kendall"]
            lines.append(
                f"Rank correlation of the factors of {one} and {other}: {kendall.value:+.2f} ({kendall.low:+.2f} to "
                f"{kendall.high:+.2f}, Kendall)."
            )
            told = [
                f"{name} {gap.value:+.2f} ({gap.low:+.2f} to {gap.high:+.2f})"
                for name, gap in self.misaligned(one, other)
            ]
            lines.append(
                f"  {other} weighs differently from {one}, after Holm over "
                f"{len(self.factors) * len(self.gaps)} differences: {', '.join(told) or 'nothing that stands out'}."
            )
        return lines


@audit(
    name="profile",
    slug="profile",
    paper=Paper("Uncovering Factor Level Preferences to Improve Human-Model Alignment", 2024, "2410.06965"),
    summary="Scores how each factor of answers goes with preference, and compares people, a model as judge and the "
    "same model as writer.",
    formula="τ(f) = (C − D)/(C + D + T)",
    legend=(
        "C: pairs whose preferred answer has more of factor f",
        "D: pairs whose preferred answer has less",
        "T: decided pairs that do not differ in f; left out of the denominator with ties dropped",
        "a writer's preference: of what it writes at quality levels 1 to 5, the higher level is preferred",
    ),
    use_when="A model judges as people do and yet writes otherwise, or a reward is to be compared with people beyond "
    "its accuracy: `truing audit factors FILE --judge MODEL --generated FILE`.",
    avoid_when="Factors are measured badly: noise pulls their scores to 0. Scores of factors that go with length say "
    "little; read those given the length.",
    requires=("pairs", "factors of answers"),
    cost="seconds; a judge is asked twice a pair, a writer five times a prompt",
    aliases=("factors",),
)
def profile(
    differences: np.ndarray,
    preferences: np.ndarray,
    factors: Sequence[str],
    *,
    longer: np.ndarray | None = None,
    annotators: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    ties: Ties = "counted",
    draws: int = 200,
    seed: int = 0,
) -> Profile:
    """Score the factors of every annotator.

    The paper's own treatment of ties could not be looked up: both conventions are there, and one is used throughout.

    Args:
        differences: factor of the first answer minus that of the second; only signs are used; shape ``[N, F]``.
        preferences: above 0 where the first answer is preferred, below where the second; 0 and nan are undecided.
        factors: names, ``F`` of them.
        longer: 1 where the first answer is longer, −1 where the second is, 0 where they are about the same; shape
            ``[N]``. Without it lengths are taken as the same.
        annotators: who preferred; one if left out.
        groups: rows of a group, as those with one prompt, are drawn together by the bootstrap.
        ties: ``"counted"`` in the denominator, or ``"dropped"``.
        draws: bootstrap samples; the same draw of groups for all annotators.
        seed: of the draws.

    Raises:
        TruingError: on shapes that do not fit, or if no row is decided.
    """
    differences, preferences = np.asarray(differences, dtype=np.float64), np.asarray(preferences, dtype=np.float64)
    count = len(preferences)
    length = np.zeros(count) if longer is None else np.asarray(longer, dtype=np.float64)
    who = np.array(["annotator"] * count if annotators is None else list(annotators), dtype=object)
    group = np.array(list(map(str, range(count) if groups is None else groups)))
    _check(differences, preferences, factors, (length, who, group), ties, draws)
    known = np.isfinite(differences).all(1) & np.isfinite(preferences) & (preferences != 0)
    if not known.any():
        raise TruingError("no row has a preference and all factors", where="preferences")
    names, place = np.unique(group, return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    found: list[Factors] = []
    tables: list[Scores] = []
    for name in dict.fromkeys(who[known]):
        rows = known & (who == name)
        # The first weighting is the data as they are, the others are the bootstrap's.
        counts = np.concatenate([np.ones((1, int(rows.sum()))), drawn[:, place[rows]]])
        table = factor_scores(differences[rows], np.sign(preferences[rows]), length[rows], counts, ties)
        informed = (differences[rows] != 0).sum(0)
        each = [_estimates(own, informed) for own in (table.tau, table.matched, table.partial)]
        found.append(Factors(str(name), int(rows.sum()), *each))
        tables.append(table)
    agreement, gaps, alone = {}, {}, {}
    for (i, one), (j, other) in combinations(enumerate(found), 2):
        left, right = tables[i].tau, tables[j].tau
        agreement[one.name, other.name] = _agreement(left, right)
        fewest = min(one.pairs, other.pairs)
        gaps[one.name, other.name] = _estimates(right - left, np.full(len(factors), fewest))
        alone[one.name, other.name] = _p_values(right - left, fewest)
    corrected = after_holm(np.concatenate(list(alone.values()))) if alone else np.zeros(0)
    doubt = {
        pair: tuple(own.tolist())
        for pair, own in zip(alone, corrected.reshape(len(alone), len(factors)), strict=True)
    }
    return Profile(tuple(factors), tuple(found), agreement, gaps, doubt, int((~known).sum()))


def _p_values(table: np.ndarray, pairs: int) -> np.ndarray:
    """Of gaps, from the bootstrap's spread, ``[F]``.

    Where all pairs are alike every draw is the same; the spread is at least that of a share of so many pairs that are
    alike with half a gain and half a loss added.
    """
    if len(table) < 3:
        return np.full(table.shape[1], np.nan)
    spread = np.array(
        [np.std(own[np.isfinite(own)], ddof=1) if np.isfinite(own).sum() > 1 else np.nan for own in table[1:].T]
    )
    size = pairs + 2
    least = np.sqrt(((pairs + 1) / size - (pairs / size) ** 2) / size)
    return normal_p_values(table[0], np.maximum(spread, least))


def _estimates(table: np.ndarray, informed: np.ndarray) -> tuple[Estimate, ...]:
    """The first row with the spread of the others; a column that is nan throughout stays unknown."""
    return tuple(_estimate(table[:, place], int(n)) for place, n in enumerate(informed))


def _estimate(column: np.ndarray, n: int) -> Estimate:
    again = column[1:][np.isfinite(column[1:])]
    if not np.isfinite(column[0]) or not len(again):
        return Estimate(float(column[0]), float("nan"), float("nan"), n)
    low, high = np.quantile(again, (0.025, 0.975))
    return Estimate(float(column[0]), float(low), float(high), n)


def _agreement(left: np.ndarray, right: np.ndarray) -> dict[str, Estimate]:
    known = np.isfinite(left[0] + right[0])
    measures = {"kendall": stats.kendalltau, "spearman": stats.spearmanr, "pearson": stats.pearsonr}
    found = {}
    for name in CORRELATIONS:
        values = [
            _correlation(measures[name], one[known], other[known]) for one, other in zip(left, right, strict=True)
        ]
        found[name] = _estimate(np.array(values), int(known.sum()))
    return found


def _correlation(measure: Any, one: np.ndarray, other: np.ndarray) -> float:
    both = np.isfinite(one + other)
    if both.sum() < 3 or np.ptp(one[both]) == 0 or np.ptp(other[both]) == 0:
        return float("nan")
    return float(measure(one[both], other[both]).statistic)


def _check(
    differences: np.ndarray,
    preferences: np.ndarray,
    factors: Sequence[str],
    columns: Sequence[np.ndarray],
    ties: str,
    draws: int,
) -> None:
    if preferences.ndim != 1 or differences.shape != (len(preferences), len(factors)):
        raise TruingError(
            f"differences have shape {list(differences.shape)}, preferences {list(preferences.shape)}, and there are "
            f"{len(factors)} factors",
            where="differences",
            allowed="[N, F] differences, [N] preferences and F names",
        )
    if any(len(column) != len(preferences) for column in columns):
        raise TruingError(
            "not every row has a length, an annotator and a group", allowed=f"{len(preferences)} of each"
        )
    if ties not in ("counted", "dropped"):
        raise TruingError(f"ties are {ties!r}", where="ties", allowed="counted, dropped")
    if draws < 1:
        raise TruingError(f"draws = {draws}", where="draws", allowed="1 or more")
