"""An arena on a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from truing.arenas.run import ArenaListener
from truing.arenas.words import duration, tokens_text
from truing.arenas.worker import SHARED, Failure

if TYPE_CHECKING:
    from truing.arenas.plan import ArenaPlan
    from truing.arenas.run import ArenaResult
    from truing.arenas.speed import Speed


class ConsoleArena(ArenaListener):
    """One line for every cell that ends, on standard error."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False, quiet=quiet, soft_wrap=True)
        self._began = time.monotonic()
        self._ran = 0

    def planned(self, plan: ArenaPlan) -> None:
        self.console.print(f"[bold]{len(plan.cells)} cells[/bold] in {plan.arena.output}")

    def started(self, name: str) -> None:
        if name == SHARED:
            self.console.print("Sampling the starting model, and filling the reference cache")
            return
        if not self._ran:
            self._began = time.monotonic()

    def ended(self, name: str, failure: Failure | None, done: int, total: int) -> None:
        if failure is not None:
            self.console.print(Text.assemble(("failed  ", "red"), f"{name}: {failure.what}"))
            if failure.fix:
                self.console.print(f"  fix: {failure.fix}", markup=False)
        if name == SHARED:
            return
        self._ran += 1
        left = (time.monotonic() - self._began) / self._ran * (total - done)
        self.console.print(f"{done:>4} of {total}  {name}, about {duration(left)} left", markup=False)


def print_plan(console: Console, plan: ArenaPlan, speed: Speed) -> None:
    """The cells of a dry run, what they cost, and how long it may take."""
    table = Table(title=f"{len(plan.cells)} cells", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("cell", "data", "steps", "batch", "tokens", "forward only", "about"):
        table.add_column(column, overflow="fold", justify="left" if column in ("cell", "data") else "right")
    for cell, work, seconds in zip(plan.cells, plan.work, speed.cells, strict=True):
        own = " (own budget)" if cell.own_budget else ""
        table.add_row(
            Text(cell.name),
            f"{work.kind}, {work.records:,}",
            f"{work.steps:,}{own}",
            f"{work.batch:,}",
            tokens_text(work.gradient_tokens),
            tokens_text(work.extra_tokens),
            duration(seconds),
        )
    console.print(table)
    for sentence in speed.sentences():
        console.print(sentence, markup=False)
    console.print("Nothing was done (--dry-run).")


def print_results(console: Console, result: ArenaResult) -> None:
    """The summary, and one table a track."""
    from truing.arenas import tables, words

    record = result.record
    console.print()
    for answer in words.answers(record):
        console.print(Text.assemble((answer.question + " ", "bold"), answer.headline))
        for sentence in answer.sentences:
            if sentence:
                console.print(f"  {sentence}", markup=False)
    for track in record["tracks"]:
        rows = tables.ranking(track, record["start"])
        if not rows:
            continue
        measure = words.main_measure(track)
        table = Table(title=f"\n{track['label']}", title_justify="left")
        for column in (
            "place",
            "group",
            "method",
            words.MEASURES[measure or ""],
            *(c[0] for c in tables.COLUMNS[:5]),
        ):
            table.add_column(column, justify="left" if column in ("method", "group") else "right", overflow="fold")
        for row in rows:
            table.add_row(row.places, row.letters, Text(row.name), row.result, *row.cells[:5])
        console.print(table)
    console.print(f"\nresults  {result.folder / 'arena.json'}\nreport   {result.page}", markup=False)
