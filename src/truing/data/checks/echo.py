"""Answers that repeat their prompt: often a sign that the two were not separated."""

from __future__ import annotations

from truing.data.checks.base import ANSWERED, CHECKS, Check, Finding, Subject, finding

SHORTEST = 20
"""Characters below which a repeated prompt is no sign of anything."""


def _question(subject: Subject, number: int) -> str:
    prompt = subject.rows[number]["prompt"]
    return str(prompt if isinstance(prompt, str) else prompt[-1]["content"]).strip()


def _run(subject: Subject) -> list[Finding]:
    def echoes(number: int) -> bool:
        question = _question(subject, number)
        return len(question) >= SHORTEST and all(a.strip().startswith(question) for a in subject.answers[number])

    rows = subject.rows_where(echoes)
    return [
        finding(
            "rows whose answers all begin with their prompt",
            rows,
            len(subject),
            "The prompt stands in the answer, so that the model is trained to repeat what it is asked.",
            "Remove the prompt from the answers; leave the prompt column out if both answers begin with it.",
            severity="problem" if len(rows) > len(subject) / 2 else "warning",
        )
    ]


CHECKS.add(Check("echo", "answers that repeat their prompt", _run, kinds=ANSWERED))
