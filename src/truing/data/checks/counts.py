"""Layout and counts: what was read, and what was left out on the way."""

from __future__ import annotations

from truing.data.checks.base import CHECKS, Check, Finding, Subject, finding


def _run(subject: Subject) -> list[Finding]:
    records = subject.records
    rows = len(subject)
    prompts = len(set(subject.prompts))
    skipped = sum(count.number for count in records.skipped)
    malformed = records.quarantined or 0
    total = rows + skipped + malformed
    return [
        finding(
            "distinct prompts",
            prompts,
            rows,
            f"Rows a prompt: {rows / prompts:.3g}; intervals count prompts where rows of one are alike.",
            severity="info",
            values={"rows_per_prompt": rows / prompts},
        ),
        finding(
            "records left out by conversion",
            skipped,
            total,
            ("; ".join(f"{count.number:,} × {count.what}" for count in records.skipped) or "Nothing") + ".",
            "Ties and missing verdicts say nothing about which answer is better; look at the rest.",
            severity="info",
            ids=[number for count in records.skipped for number in count.ids],
        ),
        finding(
            "malformed rows",
            malformed,
            total,
            "These rows cannot be read, so that training stops at the first of them.",
            "Correct them, or set data.on_bad_row: quarantine.",
            severity="problem",
        ),
    ]


CHECKS.add(Check("counts", "rows, prompts, and what was left out", _run))
