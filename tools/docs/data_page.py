"""The layouts that are detected, and the checks."""

from __future__ import annotations

import json

from markup import GENERATED, plain, table

from truing.data.checks import CHECKS
from truing.data.layouts import LAYOUTS

LONGEST = 110


def page() -> str:
    """Both tables."""
    layouts = [
        (
            f"`{layout.name}`" + (" (by name only)" if layout.by_name_only else ""),
            plain(layout.summary),
            layout.kind,
            ", ".join(f"`{column}`" for column in layout.needs),
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
            "## Checks\n",
            "`truing data check` runs every one that applies.\n",
            table(("check", "what it looks for", "kinds of data"), checks),
        ]
    )


def _example(row: object) -> str:
    return json.dumps(row, ensure_ascii=False, indent=None if len(str(row)) < LONGEST else 1)
