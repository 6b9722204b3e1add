"""What is known about the data: the report of ``truing data check``, and what tokenisation did."""

from __future__ import annotations

from dataclasses import dataclass

from truing.report.reading import Run
from truing.report.values import Values
from truing.report.wording import listed, number, percent, plural, typeset

_SEVERITIES = ("problem", "warning", "info")


@dataclass(frozen=True)
class DataFinding:
    """A row of the table.

    Attributes:
        severity: problem, warning or info.
        what: what was counted.
        count: how many of how many.
        share: with interval.
        rows: ids to look at.
        meaning, remedy: sentences.
    """

    severity: str
    what: str
    count: str
    share: str
    rows: str
    meaning: str
    remedy: str


@dataclass(frozen=True)
class DataSection:
    """Everything about the data.

    Attributes:
        headline: of the check; or that there was none.
        findings: problems and warnings first.
        absent: what was looked for and not found.
        lengths: rows of a table: part, unit, mean, least, median, 90 %, 99 %, most.
        facts: label and text, from the plan of the run.
    """

    headline: str
    findings: tuple[DataFinding, ...]
    absent: tuple[str, ...]
    lengths: tuple[tuple[str, ...], ...]
    facts: tuple[tuple[str, str], ...]


def data_section(run: Run) -> DataSection:
    """What the run's folder says about its data."""
    found = [item for item in run.data.parts("findings") if item.text("what")]
    present = [item for item in found if item.number("count")]
    present.sort(key=lambda item: _SEVERITIES.index(_severity(item)))
    return DataSection(
        _headline(run, present),
        tuple(_finding(item) for item in present),
        tuple(item.text("what") or "" for item in found if item.number("count") == 0),
        tuple(_length(row) for row in run.data.parts("lengths")),
        tuple(_facts(run)),
    )


def _headline(run: Run, present: list[Values]) -> str:
    if not run.data:
        return (
            "Not measured: this run's folder holds no data check. "
            "`truing data check PATH` looks for duplicates, leakage, contradictions and length bias."
        )
    counts = [sum(_severity(item) == severity for item in present) for severity in _SEVERITIES[:2]]
    rows = run.data.count("rows")
    looked = f" in {plural(rows, 'row')}" if rows is not None else ""
    told = [
        plural(count, word) if count else f"no {word}" for count, word in zip(counts, _SEVERITIES, strict=False)
    ]
    return f"The check found {listed(told)}{looked}."


def _severity(item: Values) -> str:
    severity = item.text("severity") or ""
    return severity if severity in _SEVERITIES else "warning"


def _finding(item: Values) -> DataFinding:
    count, n = item.number("count"), item.number("n")
    share = item.estimate("share")
    ids = item.raw("ids")
    shown = [str(i) for i in ids if isinstance(i, str | int)][:5] if isinstance(ids, list) else []
    more = ", …" if shown and count is not None and count > len(shown) else ""
    return DataFinding(
        _severity(item),
        item.text("what") or "",
        f"{number(count)} of {number(n)}" if n is not None else number(count),
        f"{percent(share.value)} ({percent(share.low)} to {percent(share.high)})" if share is not None else "–",
        ", ".join(shown) + more,
        typeset(item.text("meaning") or ""),
        typeset(item.text("remedy") or ""),
    )


def _length(row: Values) -> tuple[str, ...]:
    numbers = (row.number(key) for key in ("mean", "minimum", "median", "p90", "p99", "maximum"))
    shown = ("–" if value is None else number(round(value)) for value in numbers)
    return (row.text("part") or "", row.text("unit") or "", *shown)


def _facts(run: Run) -> list[tuple[str, str]]:
    plan = run.record.part("plan", "data")
    tokens = plan.part("tokenisation")
    facts: list[tuple[str, str | None]] = [
        ("source", plan.text("source") or run.data.text("source")),
        ("layout", plan.text("layout") or run.data.text("layout")),
        ("kind", plan.text("kind") or run.data.text("kind")),
    ]
    counts = (
        ("rows trained on", plan, "rows"),
        ("rows held out", plan, "held_out_rows"),
        ("prompts shortened", tokens, "prompts_truncated"),
        ("answers cut off", tokens, "completions_truncated"),
        ("answers without end-of-sequence", tokens, "without_eos"),
        ("merges across the prompt's end", tokens, "boundary_merges"),
    )
    facts += [(label, number(value)) for label, part, key in counts if (value := part.number(key)) is not None]
    notes = [*plan.texts("notes"), *tokens.texts("notes"), *run.data.texts("notes")]
    facts += [("note", note) for note in notes]
    return [(label, text) for label, text in facts if text]
