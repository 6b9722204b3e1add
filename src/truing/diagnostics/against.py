"""What can be read from a model beside its reference on the same pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from truing.diagnostics.pair_scores import PairScores
from truing.diagnostics.ranking import Ranking, ranking
from truing.diagnostics.readings import Reading
from truing.diagnostics.three_d import three_d
from truing.statistics import UNKNOWN, Estimate, mean, paired_difference, rank_correlation

# The betas over which the paper's idealised accuracy is given, for where the true one is not known.
BETAS = (0.01, 0.1, 1.0, 10.0)


def ranking_change(
    own: PairScores, base: PairScores, preference: np.ndarray | float, beta: float
) -> tuple[list[Reading], Ranking]:
    """Accuracy before, now and at best; which pairs were turned; whether difficulty told which."""
    found = ranking(own.margin, base.margin, preference, beta)
    ideals = [ranking(own.margin, base.margin, preference, b).accuracy_idealised.value for b in BETAS]
    gap = mean(found.idealised.astype(float) - found.right.astype(float))
    wrong = ~found.right_before
    area = _area(found.difficulty[wrong], found.right[wrong])
    readings = [
        Reading(
            "ranking-accuracy",
            "idealised_accuracy",
            "  idealised",
            found.accuracy_idealised,
            "share",
            f"What the perfect optimum at beta {beta:g} would reach, starting from this reference "
            f"({min(ideals):.0%} to {max(ideals):.0%} for beta 10 to 0.01). "
            f"Within reach and still wrong, in balance: {gap.value:.0%} of the pairs.",
        ),
        Reading(
            "ranking-accuracy",
            "corrected",
            "  corrected",
            found.corrected,
            "share",
            f"Of {int(wrong.sum())} pairs that the reference ranks wrongly the model ranks so many rightly.",
        ),
        Reading(
            "ranking-accuracy",
            "broken",
            "  broken",
            found.broken,
            "share",
            f"Of {int((~wrong).sum())} pairs that the reference ranks rightly the model ranks so many wrongly.",
            "warning" if found.broken.low > found.corrected.high else "plain",
        ),
    ]
    if area is not UNKNOWN:
        readings.append(
            Reading(
                "ranking-accuracy",
                "difficulty_predicts",
                "  difficulty predicts",
                area,
                "",
                "How surely a corrected pair was less difficult than one still wrong; 0.5 is chance. Median difficulty "
                f"of the wrong pairs: {np.median(found.difficulty[wrong]):.1f} nats.",
            )
        )
    return readings, found


def properties(own: PairScores, base: PairScores) -> list[Reading]:
    """Drop of the rejected, degradation of the chosen, dispersion to neither."""
    change = own.logps - base.logps
    parted = np.isfinite(own.neither)
    found = three_d(change[:, 0], change[:, 1], own.neither[parted], base.neither[parted])
    per_token = mean(change[:, 0] / own.tokens[:, 0])
    return [
        Reading("3d-properties", "drop", "rejected answers", found.drop, "Δ nats", _drop(found.drop)),
        Reading(
            "3d-properties",
            "degradation",
            "chosen answers",
            found.degradation,
            "Δ nats",
            _degradation(found.degradation, found.drop, per_token),
            "warning" if per_token.high < -0.3 else "note" if found.degradation.high < 0 else "plain",
        ),
        Reading(
            "3d-properties",
            "dispersion",
            "probability of neither",
            found.dispersion,
            "Δ",
            _dispersion(found.dispersion),
            "warning" if found.dispersion.low > 0 and found.degradation.high < 0 else "plain",
        ),
    ]


def uncertainty_change(own: PairScores, base: PairScores) -> list[Reading]:
    """Top-k entropy and mass against the reference, the same tokens for both."""
    entropy = paired_difference(own.topk_entropy, base.topk_entropy)
    mass = paired_difference(own.topk_mass, base.topk_mass)
    spread = "narrower" if entropy.high < 0 else "wider" if entropy.low > 0 else "unchanged"
    spilled = mass.high < -0.05
    return [
        Reading(
            "likelihood-overopt",
            "topk_entropy_change",
            "entropy, 10 likeliest tokens",
            entropy,
            "Δ bits",
            f"The choice among the ten likeliest next tokens is {spread}. One number cannot tell a turn; the alarm "
            "over_optimisation looks at the course.",
        ),
        Reading(
            "likelihood-overopt",
            "topk_mass_change",
            "mass, 10 likeliest tokens",
            mass,
            "Δ",
            "Probability has spilled to tokens outside the ten likeliest, a sign of over-optimisation."
            if spilled
            else "The ten likeliest tokens hold about as much as before.",
            "warning" if spilled else "plain",
        ),
    ]


def length_lean(own: PairScores, base: PairScores) -> Reading:
    """Whether what the model learned to prefer goes with length."""
    learned = own.margin - base.margin
    lean = rank_correlation(learned, own.tokens[:, 0] - own.tokens[:, 1])
    way = "longer" if lean.value > 0 else "shorter"
    says = (
        f"What it learned to prefer leans to the {way} answer."
        if lean.excludes_zero
        else "No lean to length is seen."
    )
    strong = lean.low > 0.3 or lean.high < -0.3
    return Reading("", "length_lean", "margin change and length", lean, "Δ", says, "note" if strong else "plain")


def ches_and_displacement(ches: np.ndarray, own: PairScores, base: PairScores) -> Reading:
    """Whether CHES of the starting model told which chosen answers fell."""
    change = (own.logps[:, 0] - base.logps[:, 0]) / own.tokens[:, 0]
    found = rank_correlation(ches, -change)
    told = "fell the more the higher their CHES was" if found.low > 0 else "did not follow CHES"
    return Reading(
        "ches",
        "ches_and_fall",
        "CHES and fall of the chosen",
        found,
        "Δ",
        f"On these pairs, which need not be those trained on, chosen answers {told} (rank correlation, per token).",
    )


def _drop(drop: Estimate) -> str:
    if drop.high < 0:
        return "Rejected answers became less likely."
    return "Rejected answers became more likely." if drop.low > 0 else "Rejected answers did not move for sure."


def _degradation(chosen: Estimate, drop: Estimate, per_token: Estimate) -> str:
    if chosen.low > 0:
        return "Chosen answers became more likely: nothing degraded."
    if chosen.high >= 0:
        return "Chosen answers did not move for sure."
    if per_token.high < -0.3:
        return (
            f"Chosen answers fell far ({per_token.value:+.2f} nats a token). Give an nll term more weight, or stop "
            "earlier."
        )
    less = "less than rejected ones" if chosen.value > drop.value else "no less than rejected ones"
    return (
        f"Chosen answers fell, too, {less} ({per_token.value:+.2f} nats a token): usual for losses of differences."
    )


def _dispersion(found: Estimate) -> str:
    if found.low > 0:
        return "Where the two answers part, probability went to a third that is in neither column."
    if found.high < 0:
        return "Where the two answers part, the model now writes one of the two more often."
    return "No probability moved to or from third answers for sure."


def _area(difficulty: np.ndarray, corrected: np.ndarray) -> Estimate:
    """Probability that a corrected pair was the less difficult one, with the interval of Hanley and McNeil (1982)."""
    ups, downs = int(corrected.sum()), int((~corrected).sum())
    if min(ups, downs) < 5:
        return UNKNOWN
    area = float(stats.mannwhitneyu(difficulty[~corrected], difficulty[corrected]).statistic) / (ups * downs)
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (ups - 1) * (first - area**2) + (downs - 1) * (second - area**2)) / (
        ups * downs
    )
    reach = 1.959964 * float(np.sqrt(max(variance, 0.0)))
    return Estimate(area, max(0.0, area - reach), min(1.0, area + reach), ups + downs)


def rows(
    ids: Sequence[str], own: PairScores, ches: tuple[np.ndarray, np.ndarray], found: Ranking | None
) -> list[dict[str, object]]:
    """One mapping for each pair, for a JSONL file."""
    lines: list[dict[str, object]] = []
    for i, name in enumerate(ids):
        line: dict[str, object] = {
            "id": name,
            "ches": round(float(ches[0][i]), 6),
            "ches_raw": round(float(ches[1][i]), 3),
            "margin": round(float(own.margin[i]), 5),
            "margin_per_token": round(float(own.margin_per_token[i]), 5),
            "chosen_tokens": int(own.tokens[i, 0]),
            "rejected_tokens": int(own.tokens[i, 1]),
        }
        if found is not None:
            line |= {
                "difficulty": round(float(found.difficulty[i]), 5),
                "needed_loss": round(float(found.needed_loss[i]), 6),
                "right_before": bool(found.right_before[i]),
                "right": bool(found.right[i]),
            }
        lines.append(line)
    return lines
