"""The layouts that are detected, what is made from records, and the checks."""

from __future__ import annotations

import json
from collections.abc import Iterable

from markup import GENERATED, paper_link, plain, table

from truing.catalogue import entries
from truing.data.checks import CHECKS
from truing.data.derive import PARTS, RELABELLINGS, Relabelling
from truing.data.layouts import LAYOUTS

LONGEST = 110


def page() -> str:
    """All tables."""
    layouts = [
        (
            f"`{layout.name}`" + (" (by name only)" if layout.by_name_only else ""),
            plain(layout.summary),
            layout.kind,
            _columns(layout.needs),
        )
        for layout in LAYOUTS
    ]
    checks = [
        (f"`{check.name}`", plain(check.summary), ", ".join(sorted(check.kinds)) or "every kind")
        for check in CHECKS
    ]
    return "\n".join(
        [
            GENERATED,
            "# Data layouts and checks\n",
            "## Layouts\n",
            f"{len(layouts)} layouts. The one that explains the most columns is taken; a draw is an error that names "
            "the candidates, and `data.layout` decides.\n",
            table(("layout", "what it is", "kind", "columns"), layouts),
            "## One row of each\n",
            *(f"`{layout.name}`\n\n```json\n{_example(layout.example)}\n```\n" for layout in LAYOUTS),
            "## Made from records\n",
            "`data.relabel` trains on other pairs than those of the data; held-out records change in the same way. "
            "A name with a paper has claims, see `truing explain NAME`.\n",
            table(
                ("relabelling", "what it does", "from", "columns", "paper"),
                [_relabelling(r) for r in RELABELLINGS],
            ),
            "Some objectives take further records beside every record, their *parts*. These are made from pairs "
            "where the recipe names no data for them under `data.parts`:\n",
            table(
                ("part", "what it is", "kind", "columns"),
                [(f"`{p.name}`", plain(p.summary), p.kind, _columns(p.needs)) for p in PARTS],
            ),
            "## Checks\n",
            "`truing data check` runs every one that applies.\n",
            table(("check", "what it looks for", "kinds of data"), checks),
        ]
    )


def _columns(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _relabelling(relabelling: Relabelling) -> tuple[str, str, str, str, str]:
    paper = next((row["paper"] for row in entries() if row["name"] == relabelling.name), None)
    return (
        f"`{relabelling.name}`",
        plain(relabelling.summary),
        relabelling.takes,
        _columns(relabelling.needs),
        "" if paper is None else paper_link(paper),
    )


def _example(row: object) -> str:
    return json.dumps(row, ensure_ascii=False, indent=None if len(str(row)) < LONGEST else 1)
