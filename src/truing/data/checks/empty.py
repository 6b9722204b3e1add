"""Empty answers and prompts."""

from __future__ import annotations

from truing.data.checks.base import CHECKS, Check, Finding, Subject, finding


def _run(subject: Subject) -> list[Finding]:
    answers = subject.rows_where(lambda i: any(not answer.strip() for answer in subject.answers[i]))
    prompts = subject.rows_where(lambda i: not subject.prompts[i].strip())
    return [
        finding(
            "rows with an answer that is empty or white space only",
            answers,
            len(subject),
            "Tokenisation leaves these rows out; where such an answer is chosen, it would teach silence.",
            "Remove them, or find out why the answer is missing.",
            severity="warning",
        ),
        finding(
            "rows with an empty prompt",
            prompts,
            len(subject),
            "Only a tokenizer that adds a beginning-of-sequence token can use them.",
            "Check that the prompt was read from the right column.",
            severity="warning",
        ),
    ]


CHECKS.add(Check("empty", "answers and prompts without text", _run))
