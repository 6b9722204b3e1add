"""Answers that are compared although they are the same."""

from __future__ import annotations

from truing.data.checks.base import CHECKS, Check, Finding, Subject, finding
from truing.data.checks.near import normalised


def _run(subject: Subject) -> list[Finding]:
    same = subject.rows_where(lambda i: len(set(subject.answers[i])) == 1)
    alike = subject.rows_where(
        lambda i: len(set(subject.answers[i])) > 1 and len(set(map(normalised, subject.answers[i]))) == 1
    )
    return [
        finding(
            "rows whose answers are all the same",
            same,
            len(subject),
            "The gap between equal answers is 0 whatever the model does: a constant loss without gradient.",
            "Remove them.",
            severity="problem",
        ),
        finding(
            "rows whose answers differ in case, punctuation or spaces only",
            alike,
            len(subject),
            "The model learns punctuation from them.",
            "Remove them, unless format is what you want to teach.",
            severity="warning",
        ),
    ]


CHECKS.add(Check("identical", "answers that are the same", _run, kinds=frozenset({"pairs", "ranked"})))
