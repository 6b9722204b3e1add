"""``truing data check``: look at data before a model learns from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from truing.data.bad_rows import BadRows
from truing.data.checks import CHECKS, Finding, Subject
from truing.data.checks.base import SEVERITIES, Severity
from truing.data.conversion import Converter
from truing.data.lengths import LengthRow, lengths
from truing.data.records import Records
from truing.data.sources import collect, open_source, splits_of
from truing.errors import DataError, ModelError
from truing.json_values import plain


@dataclass(frozen=True)
class DataReport:
    """What the checks found.

    Args:
        source: what was looked at.
        layout: how it is laid out.
        kind: what its rows say.
        conversational: whether they are messages.
        rows: how many.
        fingerprint: of their content.
        notes: what conversion did.
        splits: other splits that were compared, with their numbers of rows.
        lengths: of prompts and answers.
        findings: problems first.
    """

    source: str
    layout: str
    kind: str
    conversational: bool
    rows: int
    fingerprint: str
    notes: tuple[str, ...]
    splits: Mapping[str, int]
    lengths: tuple[LengthRow, ...]
    findings: tuple[Finding, ...]

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def find(self, check: str, what: str = "") -> Finding:
        """The first finding of a check whose description holds ``what``.

        Raises:
            KeyError: if there is none.
        """
        for finding in self.findings:
            if finding.check == check and what in finding.what:
                return finding
        raise KeyError(f"{check}: {what}")

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data for JSON; what is unknown is ``None``."""
        values: dict[str, Any] = plain(
            {
                "source": self.source,
                "layout": self.layout,
                "kind": self.kind,
                "conversational": self.conversational,
                "rows": self.rows,
                "fingerprint": self.fingerprint,
                "notes": list(self.notes),
                "splits": dict(self.splits),
                "problems": len(self.of("problem")),
                "warnings": len(self.of("warning")),
                "lengths": [row.as_dict() for row in self.lengths],
                "findings": [finding.as_dict() for finding in self.findings],
            }
        )
        return values


def check(
    records: Records,
    *,
    tokenizer: Any = None,
    other_splits: Mapping[str, Records] | None = None,
    max_length: int | None = None,
    chat_template: str | None = None,
) -> DataReport:
    """Run every check that applies to the records.

    Args:
        records: not streamed.
        tokenizer: of transformers; adds token counts, boundary merges and template problems.
        other_splits: by name, to look for leakage.
        max_length: tokens of prompt plus answer that training would keep.
        chat_template: as for training.

    Raises:
        DataError: if the records are streamed.
    """
    if records.streaming:
        raise DataError(
            "streamed data cannot be checked: checks read all rows several times",
            where=records.source,
            fix="load it without streaming, with data.limit if it is large",
        )
    subject = Subject(
        records, tokenizer=tokenizer, others=other_splits, max_length=max_length, chat_template=chat_template
    )
    found = [
        replace(finding, check=item.name)
        for item in CHECKS
        if not item.kinds or records.kind in item.kinds
        for finding in item.run(subject)
    ]
    found.sort(key=lambda finding: (SEVERITIES.index(finding.severity), finding.check))
    return DataReport(
        source=records.source,
        layout=records.layout,
        kind=records.kind,
        conversational=records.conversational,
        rows=len(records),
        fingerprint=records.fingerprint,
        notes=records.notes,
        splits={name: len(other) for name, other in subject.others.items()},
        lengths=lengths(subject),
        findings=tuple(found),
    )


def check_path(
    path: str | Path,
    against: str | Path | None = None,
    tokenizer: Any = None,
    *,
    layout: str | None = None,
    columns: Mapping[str, str] | None = None,
    split: str | None = None,
    name: str | None = None,
    limit: int | None = None,
    max_length: int | None = None,
    chat_template: str | None = None,
) -> DataReport:
    """Check a file, folder, glob or hub data set. Malformed rows are counted, not raised.

    Args:
        path: as for :func:`truing.data.load`. A folder or data set with several splits is compared with itself.
        against: another source, to look for leakage.
        tokenizer: a tokenizer, or the name or folder of a model that has one.
        layout: name of the layout; detected by default.
        columns: renames.
        split: which split to check.
        name: configuration of a hub data set.
        limit: look at the first rows only.
        max_length: tokens of prompt plus answer that training would keep.
        chat_template: as for training.

    Raises:
        DataError: if the data cannot be read at all.
        ModelError: if the tokenizer cannot be loaded.
    """
    chosen = _tokenizer(tokenizer)
    parts: list[str | None] = [split] if split is not None else [*splits_of(str(path), name)] or [None]
    main, *rest = parts

    def read(source: str | Path, part: str | None) -> Records:
        converter = Converter(columns, layout, BadRows("quarantine", None), limit)
        return collect(open_source(source, part, name, streaming=False), converter)

    others = {str(part): read(path, part) for part in rest}
    if against is not None:
        others[str(against)] = read(against, None)
    return check(
        read(path, main), tokenizer=chosen, other_splits=others, max_length=max_length, chat_template=chat_template
    )


def _tokenizer(given: Any) -> Any:
    if not isinstance(given, str | Path):
        return given
    from transformers import AutoTokenizer

    from truing.policies.loading import resolve

    try:
        return AutoTokenizer.from_pretrained(resolve(str(given)))
    except Exception as error:  # a folder without tokenizer, a misspelt name and no network raise different types
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"no tokenizer can be loaded: {reason[:200]}",
            where=str(given),
            fix="give the folder or hub name of a model that has a tokenizer",
        ) from None
