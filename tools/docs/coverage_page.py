"""What works, with what evidence, and what does not work yet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from family_pages import FAMILIES
from markup import GENERATED, paper_link, plain, table

from truing.assets import folder
from truing.catalogue import entries
from truing.data.derive import DATA_METHODS
from truing.diagnostics.audits import AUDITS
from truing.objectives import METHODS, MODIFIERS
from truing.rewards.methods import REWARDS

NOT_YET = Path(__file__).with_name("not_yet.md")


def page() -> str:
    """The table of methods, the modifiers, and what is missing."""
    rows = [row for row in entries() if row["name"] in METHODS]
    audits = [row for row in entries() if row["name"] in AUDITS]
    rewards = [row for row in entries() if row["name"] in REWARDS]
    families = [(family, [row for row in entries() if row["name"] in family.registry]) for family in FAMILIES]
    changes = [row for row in entries() if row["name"] in DATA_METHODS]
    results: list[dict[str, Any]] = json.loads((folder() / "evidence.json").read_text(encoding="utf-8"))
    others = [row for _, found in families for row in found]
    papers = {row["paper"]["arxiv"] for row in [*rows, *audits, *rewards, *others, *changes]} | {
        modifier.paper.arxiv for modifier in MODIFIERS
    }
    counts = ", ".join(f"{len(found)} of {family.title.lower()}" for family, found in families)
    return "\n".join(
        [
            GENERATED,
            "# What works, what does not\n",
            f"{len(rows)} objectives, {len(MODIFIERS)} modifiers, {len(audits)} audits, {len(rewards)} pieces of "
            f"rewards and {len(others)} other methods ({counts}) from {len(papers)} papers, with {len(results)} "
            "measured claims. A claim is an experiment with a predicted outcome; `truing verify --all` runs "
            "every one of them again.\n",
            "## Objectives\n",
            table(
                ("objective", "entry", "paper", "claims that hold", "status"),
                [_row(row) for row in rows],
            ),
            "## Modifiers\n",
            table(
                ("modifier", "paper", "what it changes"),
                [(f"`{m.name}`", paper_link(m.paper.as_dict()), plain(m.summary)) for m in MODIFIERS],
            ),
            "## Audits\n",
            table(
                ("audit", "entry", "paper", "claims that hold", "status"),
                [_row(row) for row in audits],
            ),
            "## Rewards\n",
            table(
                ("piece", "entry", "paper", "claims that hold", "status"),
                [_row(row) for row in rewards],
            ),
            *(
                f"## {family.title}\n\n"
                + table(("method", "entry", "paper", "claims that hold", "status"), [_row(row) for row in found])
                for family, found in families
            ),
            "## Data\n",
            table(
                ("relabelling", "entry", "paper", "claims that hold", "status"),
                [_row(row) for row in changes],
            ),
            NOT_YET.read_text(encoding="utf-8"),
        ]
    )


def _row(row: dict[str, Any]) -> tuple[str, str, str, str, str]:
    count = len(row["measured"])
    status = "works" if count else "works; nothing measured yet"
    return (
        f"[{row['name']}]({_page(row)})",
        f"`{row['slug']}`",
        paper_link(row["paper"]),
        str(count),
        status,
    )


def _page(row: dict[str, Any]) -> str:
    if row["name"] in AUDITS:
        return f"audits.md#{row['name']}"
    if row["name"] in REWARDS:
        return f"rewards.md#{row['name']}"
    for family in FAMILIES:
        if row["name"] in family.registry:
            return f"{family.file}#{row['name']}"
    return "data-layouts.md#made-from-records" if row["name"] in DATA_METHODS else f"objectives/{row['name']}.md"
