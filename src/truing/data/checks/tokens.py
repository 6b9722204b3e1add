"""What tokenisation for training would do: merges, truncation, rows that drop out."""

from __future__ import annotations

from truing.data.checks.base import CHECKS, Check, Finding, Subject, finding
from truing.data.text import TextEncoder
from truing.data.token_report import TokenReport
from truing.errors import DataError


def _run(subject: Subject) -> list[Finding]:
    if subject.tokenizer is None:
        return []
    template = subject.chat_template if subject.records.conversational else None
    encoder = TextEncoder(subject.tokenizer, max_length=subject.max_length, chat_template=template)
    try:
        report = encoder.encode(subject.records).report
    except DataError as error:
        rows = len(subject)
        return [
            finding("rows that cannot be tokenised", rows, rows, error.what, error.fix or "", severity="problem")
        ]
    return _findings(report, subject.max_length)


def _findings(report: TokenReport, max_length: int | None) -> list[Finding]:
    rows = report.rows
    limit = f"max_length {max_length}" if max_length is not None else "no limit"
    dropped = report.dropped
    return [
        finding(
            "rows that tokenisation leaves out",
            report.rows_dropped,
            rows + report.rows_dropped,
            ("; ".join(f"{count.number:,} × {count.what}" for count in dropped) or "None") + ".",
            "Correct or remove them, so that counts mean what they say.",
            severity="warning",
            ids=[number for count in dropped for number in count.ids],
        ),
        finding(
            "rows whose prompt and answer merge at the boundary",
            report.boundary_merges,
            rows,
            "Tokenised as one text they would give other tokens there, so that the answer begins with tokens "
            "which the model would not choose.",
            "Let answers begin with the space, not prompts end with it; or use messages and a chat template.",
            severity="warning",
        ),
        finding(
            "rows whose prompt the chat template rewrites once an answer follows",
            report.template_rewrites,
            rows,
            "The prompt at inference differs from the one in training (thinking templates do this).",
            "Use the template without its thinking header for training, if the model has one.",
            severity="warning",
        ),
        finding(
            "rows in which a second beginning-of-sequence token was avoided",
            report.double_bos_avoided,
            rows,
            "The text or the chat template begins with it, and the tokenizer would put another one in front.",
            severity="info",
        ),
        finding(
            f"prompts shortened from the left ({limit})",
            report.prompts_truncated,
            rows,
            "The beginning of these prompts is cut off.",
            "Raise data.max_length.",
            severity="info",
        ),
        finding(
            f"answers cut at the end ({limit})",
            report.completions_truncated,
            report.completion_tokens.count,
            "They lose their end and EOS; a pair can lose the part in which its answers differ.",
            "Raise data.max_length, or remove these rows.",
            severity="warning",
        ),
    ]


CHECKS.add(Check("tokens", "boundary merges, truncation, rows that drop out", _run))
