"""A diagnosis on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from truing.diagnostics.model import ModelDiagnosis
    from truing.diagnostics.positions import PositionKL
    from truing.diagnostics.run import Diagnosis

_COLOURS = {"plain": "", "note": "cyan", "warning": "yellow"}
_BAR = 24


def render_run(console: Console, diagnosis: Diagnosis) -> None:
    """Alarms of a run, and its state in sentences."""
    from truing.cli.console import ConsoleListener

    listener = ConsoleListener()
    listener.console = console
    for alarm in diagnosis.alarms:
        listener.alarm(alarm)
    console.print()
    for sentence in diagnosis.summary:
        console.print(sentence, markup=False)


def render_model(console: Console, diagnosis: ModelDiagnosis) -> None:
    """What was measured, with intervals, and what it means."""
    beside = f", beside {diagnosis.reference}" if diagnosis.reference else ""
    console.print(Text(f"\n{diagnosis.model}{beside}", style="bold"))
    console.print(f"{diagnosis.pairs:,} pairs of {diagnosis.data}", markup=False)
    for note in diagnosis.notes:
        console.print(f"note: {note}", markup=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("measure", "value (95 % interval)", "in words"):
        table.add_column(column, overflow="fold", ratio=None if column != "in words" else 1)
    for reading in diagnosis.readings:
        style = _COLOURS[reading.weight]
        table.add_row(Text(reading.title), Text(reading.measured), Text(reading.says, style=style))
    console.print(table)
    if diagnosis.positions:
        _positions(console, diagnosis.positions)
    audits = sorted({reading.audit for reading in diagnosis.readings} - {""})
    console.print(f"\ntruing explain {' | '.join(audits)}: formulas, papers, when not to trust them", markup=False)


def _positions(console: Console, positions: list[PositionKL]) -> None:
    top = max(position.kl.value for position in positions) or 1.0
    console.print(Text("\nKL to the reference by position in the answer, nats per token", style="bold"))
    for position in positions:
        bar = "█" * round(_BAR * position.kl.value / top)
        said = (
            f"{position.kl.value:.3g} ({position.kl.low:.3g} to {position.kl.high:.3g}), {position.kl.n} answers"
        )
        console.print(f"  {position.label:>7}  {bar:<{_BAR}}  {said}", markup=False)
