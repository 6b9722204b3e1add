"""Figures over answers: how held-out answers moved, and how long sampled ones are."""

from __future__ import annotations

from truing.report.figures.figure import Figure
from truing.report.figures.histogram import Sample, draw, legend, table
from truing.report.reading import Run
from truing.report.values import Values
from truing.report.wording import measured, percent
from truing.statistics import mean


def held_out_figure(run: Run) -> Figure | None:
    """How much likelier each held-out answer became; ``None`` where nothing was held out."""
    samples = [
        Sample(role, role, values) for role in ("chosen", "rejected") if (values := _changes(run.held_out, role))
    ]
    if not samples:
        return None
    told = "; ".join(f"{s.label}: {measured(mean(s.values), 'nats a token')}" for s in samples)
    return Figure(
        "held-out-answers",
        "Every held-out answer",
        "Change in log-probability per token, against the starting model. Left of 0: the answer became less likely.",
        f"Mean change, {told}.",
        draw(samples, "change, nats per token", zero="no change"),
        legend(samples),
        table(samples, decimals=3),
    )


def length_figure(run: Run) -> Figure | None:
    """Lengths of sampled answers before and after; ``None`` where none were sampled."""
    samples = [
        Sample(label, label, tuple(float(length) for length in lengths))
        for label, lengths in (("before", run.lengths_before), ("after", run.lengths_after))
        if lengths
    ]
    if not samples:
        return None
    return Figure(
        "length",
        "Length of sampled answers",
        "A judge may mistake length for quality, so that a gain is worth less where answers grew." + _limit(run),
        _length_reading(run),
        draw(samples, "tokens in an answer", whole=True),
        legend(samples),
        table(samples, decimals=1),
    )


def _changes(rows: list[Values], role: str) -> tuple[float, ...]:
    found = []
    for row in rows:
        before, after = row.number(f"{role}_logp_before"), row.number(f"{role}_logp_after")
        tokens = row.number(f"{role}_tokens")
        if before is not None and after is not None and tokens:
            found.append((after - before) / tokens)
    return tuple(value for value in found if abs(value) < 1e6)


def _length_reading(run: Run) -> str:
    change = run.record.estimate("evaluation", "samples", "length")
    before = run.record.number("evaluation", "samples", "finished_before")
    after = run.record.number("evaluation", "samples", "finished_after")
    told = f"Change: {measured(change, 'tokens')}."
    if before is not None and after is not None:
        told += (
            f" Answers that ended by themselves: {percent(before, 0)} → {percent(after, 0)}; others were cut off."
        )
    return told


def _limit(run: Run) -> str:
    limit = run.record.count("recipe", "evaluation", "max_new_tokens")
    return f" Sampling ended at {limit:,} tokens." if limit is not None else ""
