"""The page of an audit: what was found in words, figures with their numbers, tables, and limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from truing.report.figures.figure import Figure, Table
from truing.report.page import rendered, written


@dataclass(frozen=True)
class AuditPage:
    """What a page shows.

    Attributes:
        kind: of audit, e.g. ``token shift``.
        name: what was audited.
        facts: what stands at the top, label and text.
        sentences: what was found.
        figures: pictures.
        tables: with their titles.
        limits: what the audit does not tell.
    """

    kind: str
    name: str
    facts: Sequence[tuple[str, str]]
    sentences: Sequence[str]
    figures: Sequence[Figure] = ()
    tables: Sequence[tuple[str, Table]] = field(default=())
    limits: Sequence[str] = ()

    def html(self) -> str:
        """One file, everything in it escaped."""
        return rendered("audit.html.j2", ["style.css"], {**written(), **vars(self)})
