"""Exact and near duplicates of prompts and of whole rows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from truing.data.checks.base import CHECKS, Check, Finding, Subject, finding
from truing.data.checks.near import SIMILAR, NearDuplicates


def repeated(ids: Sequence[str], keys: Sequence[Hashable]) -> list[str]:
    """Ids of the rows whose key an earlier row has."""
    seen: set[Hashable] = set()
    found = []
    for number, key in zip(ids, keys, strict=True):
        if key in seen:
            found.append(number)
        seen.add(key)
    return found


def _votes(subject: Subject) -> list[tuple[str, ...]]:
    """Rows as texts, those of different annotators apart, because they are votes and no copies."""
    names = [str(row.get("annotator")) for row in subject.rows]
    return [(name, *parts) for name, parts in zip(names, _parts(subject), strict=True)]


def _parts(subject: Subject) -> list[tuple[str, ...]]:
    return [(prompt, *found) for prompt, found in zip(subject.prompts, subject.answers, strict=True)]


def _near(ids: Sequence[str], rows: Sequence[tuple[str, ...]], group: Mapping[str, int]) -> list[str]:
    """Ids of distinct rows of which every part nearly repeats that of an earlier row, in the same place."""
    first_of: dict[tuple[str, ...], str] = {}
    for number, row in zip(ids, rows, strict=True):
        first_of.setdefault(row, number)
    keys = [tuple(group[part] for part in row) for row in first_of]
    return repeated(list(first_of.values()), keys)


def _run(subject: Subject) -> list[Finding]:
    rows = len(subject)
    parts = _parts(subject)
    prompts = [(prompt,) for prompt in subject.prompts]
    distinct = list({part: None for row in parts for part in row})
    group = dict(zip(distinct, NearDuplicates(distinct).group, strict=True))
    return [
        finding(
            "rows that repeat another row",
            repeated(subject.ids, _votes(subject)),
            rows,
            "Copies count several times in the loss, and inflate n.",
            "Remove all but one of each.",
            severity="warning",
        ),
        finding(
            f"different rows that nearly repeat another row (similarity ≥ {SIMILAR:g})",
            _near(subject.ids, parts, group),
            len(set(parts)),
            "Rows that differ in a few words teach the same thing several times.",
            "Keep one of each group, unless the small difference is the point.",
            severity="info",
        ),
        finding(
            f"different prompts that nearly repeat another prompt (similarity ≥ {SIMILAR:g})",
            _near(subject.ids, prompts, group),
            len(set(prompts)),
            "Random splits put such prompts on both sides, so that held-out numbers look too good.",
            "Split by group of prompts, not by row.",
            severity="info",
        ),
    ]


CHECKS.add(Check("duplicates", "rows and prompts that occur more than once, exactly or nearly", _run))
