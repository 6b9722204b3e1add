"""Oddities of encoding and language: text decoded wrongly, control characters, other scripts."""

from __future__ import annotations

import re
from collections import Counter

from truing.data.checks.base import CHECKS, Check, Finding, Subject, finding

# What UTF-8 looks like after it was read as Latin-1 or Windows-1252, and the character that replaces lost ones.
_MOJIBAKE = re.compile("â€|ðŸ|Ã[\u0080-\u00bf¡-¿]|Â[\u0080-\u00bf°»«·£©®]|ï»¿|\ufffd")
_CONTROL = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u2060\ufeff]")
_SCRIPTS = {
    "Latin": re.compile("[A-Za-z\u00c0-\u024f]"),
    "Greek": re.compile("[\u0370-\u03ff]"),
    "Cyrillic": re.compile("[\u0400-\u052f]"),
    "Hebrew": re.compile("[\u0590-\u05ff]"),
    "Arabic": re.compile("[\u0600-\u06ff\u0750-\u077f]"),
    "Devanagari": re.compile("[\u0900-\u097f]"),
    "Thai": re.compile("[\u0e00-\u0e7f]"),
    "Hangul": re.compile("[\uac00-\ud7af]"),
    "Kana": re.compile("[\u3040-\u30ff]"),
    "Han": re.compile("[\u4e00-\u9fff]"),
}


def script(text: str) -> str:
    """The script that most letters of a text belong to; ``"none"`` without letters."""
    if text.isascii():
        return "Latin" if _SCRIPTS["Latin"].search(text) else "none"
    counts = {name: len(pattern.findall(text)) for name, pattern in _SCRIPTS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else "none"


def _run(subject: Subject) -> list[Finding]:
    texts, rows = subject.texts, len(subject)
    foreign = [not text.isascii() for text in texts]
    scripts = [script(text) for text in texts]
    usual = Counter(scripts).most_common(1)[0][0]
    return [
        finding(
            "rows with text that was decoded wrongly",
            subject.rows_where(lambda i: foreign[i] and _MOJIBAKE.search(texts[i]) is not None),
            rows,
            "Sequences such as 'â€™' are UTF-8 that was read as Latin-1; the model learns to write them.",
            "Decode the source again, or repair it (the ftfy library does).",
            severity="warning",
        ),
        finding(
            "rows with control or invisible characters",
            subject.rows_where(lambda i: _CONTROL.search(texts[i].replace("\x1f", "")) is not None),
            rows,
            "They are invisible to readers and tokens to the model.",
            "Remove them.",
            severity="warning",
        ),
        finding(
            f"rows mainly in another script than {usual}",
            subject.rows_where(lambda i: scripts[i] not in (usual, "none")),
            rows,
            ", ".join(f"{name}: {count:,}" for name, count in Counter(scripts).most_common()) + ".",
            severity="info",
        ),
    ]


CHECKS.add(Check("encoding", "text that was decoded wrongly, control characters, scripts", _run))
