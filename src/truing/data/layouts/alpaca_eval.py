"""AlpacaEval annotations: hard verdicts (1 or 2), and the graded ones of AlpacaEval 2 (2404.04475)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from truing.data.layouts.base import LAYOUTS, Layout, Rows
from truing.data.layouts.verdicts import NO_VERDICT, TIE, verdict
from truing.data.rows import Converted, Row, RowError, number, text

HIGHEST_LOG_ODDS = math.log(1e10)
"""The grades are published with ten decimals; a grade of exactly 1 or 2 means no more than that."""


def _preference(row: Row) -> float | None:
    """The verdict as a number, or ``None`` where there is none (null, or the NaN that pandas writes for it)."""
    value = row.get("preference")
    return None if value is None or _is_nan(value) else number(row, "preference")


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _origin(row: Row) -> Row:
    found: Row = {}
    if row.get("annotator") is not None:
        found["annotator"] = text(row, "annotator")
    if row.get("dataset") is not None:
        found["source"] = text(row, "dataset")
    return found


def _hard(row: Row) -> Iterator[Converted]:
    prompt, first, second = (text(row, name) for name in ("instruction", "output_1", "output_2"))
    preference = _preference(row)
    if preference is None:
        yield NO_VERDICT
    elif preference in (0, 1.5):
        yield TIE
    elif preference in (1, 2):
        yield verdict(prompt, first, second, first_wins=preference == 1, **_origin(row))
    else:
        raise RowError(
            f"`preference` is {preference:g}; here it is 1 or 2 (the better output), 0 or 1.5 (tie) or null",
            "data.layout: alpaca-eval-soft reads graded preferences from 1 to 2",
        )


def _soft(row: Row) -> Iterator[Converted]:
    prompt, first, second = (text(row, name) for name in ("instruction", "output_1", "output_2"))
    preference = _preference(row)
    if preference is None:
        yield NO_VERDICT
        return
    second_wins = preference - 1  # probability that the second output is better
    if not 0 <= second_wins <= 1:
        raise RowError(f"`preference` is {preference:g}, but it lies between 1 and 2")
    if second_wins == 0.5:
        yield TIE
        return
    probability = max(second_wins, 1 - second_wins)
    log_odds = math.log(probability) - math.log1p(-probability) if probability < 1 else math.inf
    yield verdict(
        prompt,
        first,
        second,
        first_wins=second_wins < 0.5,
        preference=probability,
        margin=min(log_odds, HIGHEST_LOG_ODDS),
        **_origin(row),
    )


def _graded(rows: Rows) -> bool:
    values = [row.get("preference") for row in rows]
    return any(isinstance(v, int | float) and not _is_nan(v) and v not in (0, 1, 1.5, 2) for v in values)


def _fits_hard(rows: Rows) -> str | None:
    return "`preference` is graded, not 1 or 2" if _graded(rows) else None


def _fits_soft(rows: Rows) -> str | None:
    return None if _graded(rows) else "`preference` is not graded"


_NEEDS = ("instruction", "output_1", "output_2", "preference")
_USES = ("annotator", "dataset")
_ROW = {"instruction": "Name a fruit.", "output_1": "Apple.", "output_2": "Stone."}

LAYOUTS.add(
    Layout(
        name="alpaca-eval",
        aliases=("alpaca-eval-hard",),
        summary="two outputs and which one the judge preferred: 1 or 2 (AlpacaEval 1)",
        kind="pairs",
        needs=_NEEDS,
        uses=_USES,
        fits=_fits_hard,
        convert=_hard,
        example={**_ROW, "preference": 1},
    )
)
LAYOUTS.add(
    Layout(
        name="alpaca-eval-soft",
        summary="two outputs and a graded preference from 1 to 2 (AlpacaEval 2)",
        kind="pairs",
        needs=_NEEDS,
        uses=_USES,
        fits=_fits_soft,
        note="preference is the judge’s probability of its verdict, margin its log-odds in nats",
        convert=_soft,
        example={**_ROW, "preference": 1.0004},
    )
)
