"""Scores of ranked answers: range, ties, and criteria that say nothing."""

from __future__ import annotations

from truing.data.checks.base import CHECKS, Check, Finding, Subject, finding
from truing.data.token_report import Quantiles


def _run(subject: Subject) -> list[Finding]:
    scores = [row["scores"] for row in subject.rows]
    flat = [score for found in scores for score in found]
    quantiles = Quantiles.of(flat)
    rows = len(subject)
    spread = f"Scores lie between {quantiles.minimum:g} and {quantiles.maximum:g}, median {quantiles.median:g}."
    return [
        finding(
            "rows whose answers all have the same score",
            subject.rows_where(lambda i: max(scores[i]) == min(scores[i])),
            rows,
            f"They rank nothing and give no pair. {spread}",
            "Nothing needs to be done: they are left out where pairs are made.",
            severity="info",
            values={"minimum": quantiles.minimum, "median": quantiles.median, "maximum": quantiles.maximum},
        ),
        finding(
            "rows with several best answers",
            subject.rows_where(lambda i: max(scores[i]) > min(scores[i]) and scores[i].count(max(scores[i])) > 1),
            rows,
            "The first of the best answers is the one that pairs and demonstrations use.",
            severity="info",
        ),
    ]


CHECKS.add(Check("scores", "range and ties of scores", _run, kinds=frozenset({"ranked"})))
