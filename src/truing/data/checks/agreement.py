"""Agreement of annotators who voted on the same two answers (Fleiss' kappa)."""

from __future__ import annotations

import numpy as np

from truing.data.checks.base import CHECKS, Check, Finding, Subject, finding
from truing.statistics import Estimate

RESAMPLES = 1000


def votes(subject: Subject) -> np.ndarray:
    """Votes for each of two answers, shape ``[comparisons, 2]``; only comparisons with the most common number of
    votes, which has to be at least two.
    """
    table: dict[tuple[str, str, str], list[int]] = {}
    for prompt, (chosen, rejected) in zip(subject.prompts, subject.answers, strict=True):
        first, second = sorted((chosen, rejected))
        table.setdefault((prompt, first, second), [0, 0])[0 if chosen == first else 1] += 1
    several = [counts for counts in table.values() if sum(counts) > 1]
    if not several:
        return np.zeros((0, 2), dtype=np.int64)
    usual = np.bincount([sum(counts) for counts in several]).argmax()
    return np.array([counts for counts in several if sum(counts) == usual])


def kappa(table: np.ndarray, seed: int = 0) -> Estimate:
    """Fleiss' kappa with the percentile interval of a bootstrap over comparisons; n is their number."""
    from statsmodels.stats.inter_rater import fleiss_kappa

    rng = np.random.default_rng(seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(fleiss_kappa(table))
        if len(table) < 2:
            return Estimate(value, float("nan"), float("nan"), len(table))
        draws = [fleiss_kappa(table[rng.integers(0, len(table), len(table))]) for _ in range(RESAMPLES)]
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return Estimate(value, float(low), float(high), len(table))


def _run(subject: Subject) -> list[Finding]:
    if "annotator" not in subject.records.columns:
        return []
    table = votes(subject)
    if not len(table):
        return []
    estimate = kappa(table)
    split = int((table.min(axis=1) > 0).sum())
    ties = sum(count.number for count in subject.records.skipped if "tie" in count.what)
    return [
        finding(
            f"comparisons on which {table[0].sum()} annotators are split",
            split,
            len(table),
            f"Fleiss' kappa is {estimate.value:.2f} (95 % interval {estimate.low:.2f} to {estimate.high:.2f}; "
            "0 is chance, 1 is perfect)."
            + (f" {ties:,} votes for a tie are not counted, so that this is an upper bound." if ties else ""),
            "Below about 0.4, half of what a model learns is noise: use a loss for noisy labels (cdpo, rdpo, ipo)."
            if estimate.value < 0.4
            else "",
            severity="warning" if estimate.value < 0.4 else "info",
            values={"kappa": estimate, "votes": int(table[0].sum())},
        )
    ]


CHECKS.add(Check("agreement", "agreement of annotators", _run, kinds=frozenset({"pairs"})))
