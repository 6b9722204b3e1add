"""The page of all pieces of rewards."""

from __future__ import annotations

from audit_pages import section
from markup import GENERATED, plain, table

from truing.catalogue import explanation
from truing.rewards.lookup import pieces
from truing.rewards.methods import REWARDS

KINDS = {
    "reward": "Rewards",
    "reward transform": "Transforms",
    "reward combiner": "Combiners",
    "reward weighter": "Weighters",
    "personal reward model": "Personal reward models",
    "label repair": "Repaired labels",
}


def page() -> str:
    """For each kind its published pieces, one section each, and a table of the others."""
    parts = [
        GENERATED,
        "# Pieces of rewards\n",
        "A reward is made of pieces: scorers give numbers to an answer, transforms change each of them, a combiner "
        "makes one of several, a weighter says what each counts. `truing.rewards.build.build` makes a reward of a "
        "section like this one:\n",
        "```yaml\nmodel: truing/tiny\ndata: truing/hh-sample\nobjective: rloo\nonline:\n"
        "  rewards: [sentiment, harmlessness]\n  transform: [{name: clip, low: -3, high: 3}]\n  combine: sum\n"
        "output: runs/two-rewards\n```\n",
        "`truing explain NAME` prints a section of this page.\n",
    ]
    for kind, title in KINDS.items():
        parts.append(f"## {title}\n")
        others = [entry for entry in pieces(kind) if entry.name not in REWARDS]
        if others:
            rows = [
                (
                    f"`{entry.name}`",
                    plain(entry.summary),
                    plain("; ".join(f"{p.name}: {p.doc.text}" for p in entry.parameters)) or "none",
                )
                for entry in others
            ]
            parts.append(table(("name", "what it does", "settings"), rows))
        parts += [section(explanation(entry.name), "###") for entry in pieces(kind) if entry.name in REWARDS]
    return "\n".join(parts)
