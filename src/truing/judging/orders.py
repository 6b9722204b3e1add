"""Opinions in the orders in which they were given, read again from where verdicts were written down."""

from __future__ import annotations

import math
from typing import Any

from truing.data.rows import RowError, shorten
from truing.judging.presentation import LABELS, Presentation
from truing.judging.verdict import ABSTAINED, UNREAD, Opinion

Orders = tuple[tuple[Presentation, Opinion], ...]
_LABELS = (LABELS, LABELS[::-1])


def read_orders(value: Any, column: str) -> Orders:
    """The ``orders`` of :meth:`~truing.judging.verdict.Verdict.as_dict`; empty where there are none.

    Raises:
        RowError: if it is something else.
    """
    if value is None:
        return ()
    if not isinstance(value, list):
        raise RowError(f"`{column}` is {shorten(value)}, and no list of orders")
    return tuple(_read(one, column) for one in value)


def _read(one: Any, column: str) -> tuple[Presentation, Opinion]:
    row = one if isinstance(one, dict) else {}
    swapped, labels, value = row.get("swapped"), tuple(row.get("labels") or LABELS), row.get("first")
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    first = float(value) if value is not None and number else None
    if not isinstance(swapped, bool) or labels not in _LABELS or (first is not None and not 0 <= first <= 1):
        raise RowError(
            f"`{column}` holds {shorten(one)}",
            'an order is e.g. {"swapped": true, "labels": ["A", "B"], "first": 0.2}',
        )
    said = Opinion(first) if first is not None else ABSTAINED if row.get("abstained") else UNREAD
    return Presentation(swapped, (labels[0], labels[1])), said
