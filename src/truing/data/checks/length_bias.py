"""Length bias: whether the longer answer is the better one, and how far length alone explains the labels.

A reward that is learned from such data pays for length. The baseline "the longer answer wins" needs no reading at
all; a reward model or judge that is not better than it has learned nothing else.
"""

from __future__ import annotations

from truing.data.checks.base import CHECKS, Check, Finding, Severity, Subject
from truing.data.checks.bootstrap import clustered_mean
from truing.statistics import rate


def _better_and_worse(subject: Subject) -> list[tuple[int, int, str, str]]:
    """Length of the better and of the worse answer, with prompt and id, of every row that says which is better."""
    found = []
    rows = zip(subject.rows, subject.lengths, subject.prompts, subject.ids, strict=True)
    for row, lengths, prompt, number in rows:
        scores = [1, 0] if subject.records.kind == "pairs" else row["scores"]
        if max(scores) > min(scores):
            best, worst = scores.index(max(scores)), scores.index(min(scores))
            found.append((lengths[best], lengths[worst], prompt, number))
    return found


def _run(subject: Subject) -> list[Finding]:
    pairs = _better_and_worse(subject)
    longer = [number for better, worse, _, number in pairs if better > worse]
    equal = sum(better == worse for better, worse, _, _ in pairs)
    decided = len(pairs) - equal
    share = rate(len(longer), decided)
    difference = clustered_mean([b - w for b, w, _, _ in pairs], [prompt for _, _, prompt, _ in pairs])
    wins = [1.0 if b > w else 0.5 if b == w else 0.0 for b, w, _, _ in pairs]
    baseline = clustered_mean(wins, [prompt for _, _, prompt, _ in pairs], seed=1)
    severity: Severity = "info"
    if share.low > 0.6 or share.high < 0.4:
        severity = "warning"
    name = "chosen answer" if subject.records.kind == "pairs" else "best answer"
    direction = "longer" if share.value >= 0.5 else "shorter"
    return [
        Finding(
            what=f"pairs whose {name} is longer, of those of different length",
            severity=severity,
            count=len(longer),
            n=decided,
            share=share,
            ids=(),
            meaning=f"The {name} has {difference.value:+.3g} {subject.unit} on average against the other one "
            f"(95 % interval {difference.low:+.3g} to {difference.high:+.3g}); "
            f"“the longer answer wins” is right for {baseline.value:.1%} of the pairs.",
            remedy=f"The model will learn to be {direction}: use a length-aware objective "
            "(simpo, r-dpo, ld-dpo), and compare answers at equal length."
            if severity == "warning"
            else "",
            values={
                "difference": difference,
                "unit": subject.unit,
                "longer_wins_accuracy": baseline,
                "equal": equal,
            },
        )
    ]


CHECKS.add(
    Check("length-bias", "whether the longer answer is the better one", _run, kinds=frozenset({"pairs", "ranked"}))
)
