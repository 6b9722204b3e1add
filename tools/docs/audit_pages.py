"""The page of all audits."""

from __future__ import annotations

from typing import Any

import claims
from markup import GENERATED, code, paper_link, plain, table

from truing.catalogue import explanation
from truing.diagnostics.audits import AUDITS


def page() -> str:
    """One section for each audit."""
    names = [audit.name for audit in AUDITS]
    return "\n".join(
        [
            GENERATED,
            "# Audits\n",
            "Measurements of a model and its data that the literature defines. [Diagnose](guides/diagnose.md) shows "
            "how to run and to read them; `truing explain NAME` prints a section of this page.\n",
            *(section(explanation(name)) for name in names),
        ]
    )


def section(found: dict[str, Any], level: str = "##") -> str:
    """What is known about one registered function, under a heading of that level."""
    pairs = (line.split(": ", 1) for line in found["legend"])
    return "\n".join(
        [
            f"{level} {found['name']}\n",
            plain(found["summary"]) + "\n",
            code(found["formula"]),
            "\n".join(f"- `{symbol}`: {plain(meaning)}" for symbol, meaning in pairs) + "\n",
            "Paper: " + paper_link(found["paper"]) + ".\n",
            "**When:** " + plain(found["use_when"]) + "\n",
            "**Not when:** " + plain(found["avoid_when"]) + "\n",
            "**Needs:** " + plain(", ".join(found["requires"])) + ". "
            "**Costs:** " + plain("; ".join(found["cost"]["in_all"])) + ".\n",
            f"`truing verify {found['name']}` measures this anew:\n",
            table(claims.HEAD, [claims.row(result) for result in found["measured"]]),
        ]
    )
