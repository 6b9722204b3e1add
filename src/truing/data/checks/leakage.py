"""Leakage: prompts of another split that are in this one, too."""

from __future__ import annotations

from truing.data.checks.base import CHECKS, Check, Finding, Subject, finding
from truing.data.checks.near import SIMILAR, NearDuplicates


def _run(subject: Subject) -> list[Finding]:
    return [
        found for name, records in subject.others.items() for found in _shared(subject, name, Subject(records))
    ]


def _shared(subject: Subject, name: str, other: Subject) -> list[Finding]:
    group = NearDuplicates([*subject.prompts, *other.prompts]).group
    own_prompts, own_groups = set(subject.prompts), set(group[: len(subject)])
    other_groups = group[len(subject) :]
    exact = [prompt in own_prompts for prompt in other.prompts]
    near = [number in own_groups and not same for number, same in zip(other_groups, exact, strict=True)]
    return [
        finding(
            f"rows of {name} whose prompt is here, too",
            other.rows_where(lambda i: exact[i]),
            len(other),
            f"The model is trained on prompts that {name} measures it with.",
            f"Remove them from {name}, or from here.",
            severity="problem",
        ),
        finding(
            f"rows of {name} whose prompt is nearly here (similarity ≥ {SIMILAR:g})",
            other.rows_where(lambda i: near[i]),
            len(other),
            f"The model is trained on prompts that differ from those of {name} in a few words.",
            f"Look at them; remove them from {name} if they ask the same.",
            severity="warning",
        ),
    ]


CHECKS.add(Check("leakage", "prompts of another split that are in this one", _run))
