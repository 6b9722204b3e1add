"""Write docs/arena.md from the results of an arena.

Usage:
    python tools/docs/arena_page.py runs/arena/arena.json            into docs/arena.md
    python tools/docs/arena_page.py runs/arena/arena.json --out FILE
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from markup import plain, table

from truing.arenas import tables, words

DOCS = Path(__file__).resolve().parents[2] / "docs"
NOTES = Path(__file__).with_name("arena_notes.md")


def page(record: dict[str, Any], command: str) -> str:
    """The page: summary, what surprised, rankings, tracks, cost."""
    machine = record["machine"]
    hardware = machine["gpu"] or f"{machine['processor']}, {machine['cpu_threads']} threads"
    parts = [
        "# Arena: results\n",
        f"Printed by `{command}` on {hardware}, Truing {record['truing']}, torch {record['versions']['torch']}. "
        "[How to run one, and how to read it](guides/arena.md).\n",
        f"{plain(words.done(record))}\n",
    ]
    for answer in words.answers(record):
        parts.append(
            f"**{answer.question}** {plain(' '.join([answer.headline, *filter(None, answer.sentences)]))}\n"
        )
    parts.append(NOTES.read_text(encoding="utf-8"))
    for track in record["tracks"]:
        rows = tables.ranking(track, record["start"])
        if not rows:
            continue
        measure = words.MEASURES[words.main_measure(track) or ""]
        parts.append(f"## Track {track['label']}\n")
        head = ("place", "group", "method", measure, *(column[0] for column in tables.COLUMNS))
        parts.append(
            table(head, [(row.places, row.letters, plain(row.name), row.result, *row.cells) for row in rows])
        )
    head, rows_by_track = tables.by_track(record)
    if rows_by_track:
        parts.append("## Damaged data\n")
        parts.append(table(head, [tuple(plain(cell) for cell in row) for row in rows_by_track]))
    parts.append("## Cost\n")
    parts.append(table(tables.COST_HEAD, [tuple(plain(cell) for cell in row) for row in tables.costs(record)]))
    parts.append(
        "KL in nats an answer; chosen and rejected: change of held-out answers, nats a token; length in tokens; "
        "± is half the 95 % interval. Methods that share a letter are not significantly different.\n"
    )
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write docs/arena.md from arena.json.")
    parser.add_argument("results", type=Path)
    parser.add_argument("--command", default="truing arena examples/arena.yaml --jobs 2")
    parser.add_argument("--out", type=Path, default=DOCS / "arena.md")
    given = parser.parse_args()
    record = json.loads(given.results.read_text(encoding="utf-8"))
    given.out.write_text(page(record, given.command), encoding="utf-8")
    print(f"{given.out} written")


if __name__ == "__main__":
    main()
