"""arena.html: everything that the arena says, in one self-contained file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

import truing
from truing.arenas import tables, words
from truing.arenas.figures import pareto
from truing.arenas.words import MEASURES, Record, main_measure
from truing.report.page import rendered


def page(record: Record) -> str:
    """The HTML of an arena.

    Args:
        record: the content of arena.json.
    """
    tracks = []
    for track in record["tracks"]:
        measure = main_measure(track)
        tracks.append(
            {
                "label": track["label"],
                "perturb": yaml.safe_dump(track["perturb"], default_flow_style=True).strip()
                if track["perturb"]
                else "",
                "measure": MEASURES[measure] if measure else "",
                "rows": tables.ranking(track, record["start"]),
                "figure": pareto(track),
                "count": track["rankings"][measure]["items"] if measure else 0,
                "comparisons": len(track["rankings"][measure]["comparisons"]) if measure else 0,
            }
        )
    head, rows = tables.by_track(record)
    return rendered(
        "arena.html.j2",
        ["style.css", "arena.css"],
        {
            "name": Path(record["arena"]["output"]).name or "arena",
            "record": record,
            "done": words.done(record),
            "answers": words.answers(record),
            "tracks": tracks,
            "columns": [column[0] for column in tables.COLUMNS],
            "track_head": head,
            "track_rows": rows,
            "cost_head": tables.COST_HEAD,
            "cost_rows": tables.costs(record),
            "reference": words.reference(record),
            "failed": [cell for cell in record["cells"] if cell["failure"]],
            "alarmed": _alarmed(record),
            "recipe": yaml.safe_dump(record["arena"], sort_keys=False, allow_unicode=True),
            "formulas": _formulas(record),
            "facts": _facts(record),
            "version": truing.__version__,
        },
    )


def _alarmed(record: Record) -> list[tuple[str, str]]:
    return [
        (cell["name"], ", ".join(cell["alarms"]).replace("_", " ")) for cell in record["cells"] if cell["alarms"]
    ]


def _formulas(record: Record) -> list[tuple[str, str, str]]:
    seen: dict[str, tuple[str, str, str]] = {}
    for cell in record["cells"]:
        seen.setdefault(cell["method"], (cell["method"], cell["formula"], f"{cell['learning_rate']:g}"))
    return list(seen.values())


def _facts(record: Record) -> list[tuple[str, Any]]:
    machine = record["machine"]
    return [
        ("Truing", record["truing"]),
        *record["versions"].items(),
        ("platform", machine["platform"]),
        ("hardware", machine["gpu"] or machine["processor"]),
        ("training data", record["data"]["fingerprint"]),
    ]
