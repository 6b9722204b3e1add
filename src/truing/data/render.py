"""A data report for the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from truing.data.check import DataReport
from truing.data.checks import Finding
from truing.statistics import Estimate

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

STYLES = {"problem": "bold red", "warning": "yellow", "info": "dim"}


def render(report: DataReport) -> RenderableType:
    """The report as something that rich can print. Text from the data is never read as markup."""
    from rich.console import Group
    from rich.text import Text

    head = Text()
    head.append(report.source, style="bold")
    head.append(f"\n{report.rows:,} rows · {report.kind} · ")
    head.append("messages" if report.conversational else "plain text")
    head.append(f" · layout {report.layout}")
    for name, rows in report.splits.items():
        head.append(f"\ncompared with {name}: {rows:,} rows")
    for note in report.notes:
        head.append(f"\n  {note}", style="dim")
    problems, warnings = len(report.of("problem")), len(report.of("warning"))
    verdict = Text(f"\n{_plural(problems, 'problem')}, {_plural(warnings, 'warning')}")
    verdict.stylize(STYLES["problem"] if problems else STYLES["warning"] if warnings else "green")
    return Group(head, Text(), _lengths(report), _findings(report), _absent(report), *_advice(report), verdict)


def _lengths(report: DataReport) -> Table:
    from rich.table import Table

    table = Table(title="Lengths", title_justify="left", box=None, pad_edge=False)
    for column in ("", "unit", "mean", "min", "median", "90 %", "99 %", "max"):
        table.add_column(column, justify="left" if column in ("", "unit") else "right")
    for row in report.lengths:
        q = row.quantiles
        numbers = (q.mean, q.minimum, q.median, q.p90, q.p99, q.maximum)
        table.add_row(row.part, row.unit, *(_number(value) for value in numbers))
    return table


def _findings(report: DataReport) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="\nFindings", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("what", overflow="fold")
    table.add_column("count", justify="right")
    table.add_column("of", justify="right")
    table.add_column("share (95 %)", justify="right")
    table.add_column("rows", overflow="fold")
    for finding in report.findings:
        if not finding.count:
            continue
        style = STYLES[finding.severity]
        table.add_row(
            Text(finding.severity, style=style),
            Text(finding.what),
            f"{finding.count:,}",
            f"{finding.n:,}",
            _share(finding.share),
            Text(", ".join(finding.ids) + (", ..." if finding.count > len(finding.ids) > 0 else ""), style="dim"),
        )
    return table


def _absent(report: DataReport) -> RenderableType:
    from rich.text import Text

    absent = [finding.what for finding in report.findings if not finding.count]
    return Text(f"\nlooked for and not found: {'; '.join(absent)}" if absent else "", style="dim")


def _advice(report: DataReport) -> list[RenderableType]:
    """What each problem and warning means and what to do, and what length bias there is."""
    from rich.text import Text

    told = [f for f in report.findings if f.severity != "info" or f.check in ("length-bias", "agreement")]
    return [_sentence(finding) for finding in told] if told else [Text()]


def _sentence(finding: Finding) -> RenderableType:
    from rich.text import Text

    text = Text("\n")
    text.append(finding.what, style=STYLES[finding.severity] if finding.severity != "info" else "bold")
    text.append(f": {finding.meaning}")
    if finding.remedy:
        text.append(f" {finding.remedy}", style="italic")
    return text


def _share(share: Estimate) -> str:
    if math.isnan(share.value):
        return "–"
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:,.0f}"


def _plural(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
