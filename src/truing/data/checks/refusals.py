"""Answers that refuse, told by how they begin (English only)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from truing.data.checks.base import ANSWERED, CHECKS, Check, Finding, Subject, finding
from truing.statistics import Estimate, rate

_REFUSAL = re.compile(
    r"^\W*(?:(?:oh|well|ok|okay|hmm?|no|unfortunately)\W+)?"
    r"(?:i['’]?m (?:really |very |so |afraid )?(?:sorry|unable|not able|not comfortable|not going to)"
    r"|i am (?:sorry|unable|not able)|sorry\b|my apologies|i apologi[sz]e"
    r"|i (?:can(?:no|['’])t|can ?not|could ?n['’]?t|won['’]?t|will not|do ?n['’]?t think (?:i|that|it)|"
    r"must (?:decline|refuse)|refuse)"
    r"|as an? (?:ai|language model|assistant)\b|it (?:is|would be) (?:not|in)appropriate)",
    re.IGNORECASE,
)


def is_refusal(answer: str) -> bool:
    """Whether an answer begins like a refusal."""
    return _REFUSAL.match(answer.strip()[:200]) is not None


def _run(subject: Subject) -> list[Finding]:
    kind = subject.records.kind
    if kind == "pairs":
        sides = [("chosen answer", 0), ("rejected answer", 1)]
    elif kind == "ranked":
        return [_one(subject, "answers (one of them)", [any(map(is_refusal, found)) for found in subject.answers])]
    else:
        sides = [("answer", 0)]
    refused = {name: [is_refusal(found[side]) for found in subject.answers] for name, side in sides}
    values = {name: rate(sum(flags), len(flags)) for name, flags in refused.items()}
    return [_one(subject, name, flags, values if name == sides[0][0] else None) for name, flags in refused.items()]


def _one(subject: Subject, name: str, flags: list[bool], values: Mapping[str, Estimate] | None = None) -> Finding:
    return finding(
        f"rows whose {name} begins like a refusal",
        subject.rows_where(lambda i: flags[i]),
        len(subject),
        "Where many chosen answers refuse, the model learns to refuse harmless requests, too.",
        "Mix in harmless prompts that are answered, and measure over-refusal afterwards."
        if name != "rejected answer" and sum(flags) > len(flags) / 3
        else "",
        severity="warning" if name != "rejected answer" and sum(flags) > len(flags) / 3 else "info",
        values=values,
    )


CHECKS.add(Check("refusals", "answers that begin like a refusal", _run, kinds=ANSWERED))
