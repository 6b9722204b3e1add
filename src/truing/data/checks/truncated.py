"""Answers that look cut off.

The heuristic: an answer of at least twelve words whose last character is a letter, a digit, a comma, a hyphen or
an opening bracket, and whose last line is no list item; or an odd number of code fences. It cannot know, so that
its count is an upper bound for prose and unreliable for code, tables and verse.
"""

from __future__ import annotations

import re
from itertools import chain

from truing.data.checks.base import ANSWERED, CHECKS, Check, Finding, Subject, finding

FEWEST_WORDS = 12

_OPEN_END = re.compile(r"[\w,;(\[{–-]$")
_ITEM = re.compile(r"\s*([-*•]|\d+[.)]|#)\s|.*[:|=]")


def looks_cut(answer: str) -> bool:
    """Whether an answer ends where no sentence ends."""
    text = answer.rstrip()
    if text.count("```") % 2:
        return True
    if len(text.split()) < FEWEST_WORDS or text.endswith("```"):
        return False
    last = text.rsplit("\n", 1)[-1]
    return _OPEN_END.search(text) is not None and _ITEM.match(last) is None and len(last.split()) > 3


def _run(subject: Subject) -> list[Finding]:
    cut = [[looks_cut(answer) for answer in found] for found in subject.answers]
    rows = subject.rows_where(lambda i: any(cut[i]))
    values = {}
    if subject.records.kind == "pairs":
        values = {"chosen": sum(c for c, _ in cut), "rejected": sum(r for _, r in cut)}
    elif subject.records.kind == "ranked":
        values = {"answers": sum(chain.from_iterable(cut))}
    share = len(rows) / max(1, len(subject))
    return [
        finding(
            "rows with an answer that seems to be cut off",
            rows,
            len(subject),
            "They end without a full stop or inside code; from such answers the model learns to stop anywhere.",
            "Look at the examples; generate again with a higher limit, or remove them.",
            severity="warning" if share > 0.05 else "info",
            values=values,
        )
    ]


CHECKS.add(Check("truncated", "answers that end where no sentence ends", _run, kinds=ANSWERED))
