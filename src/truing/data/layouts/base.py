"""What a layout is, and how the layout of a source is found.

A layout names the columns that it needs, may look at some rows before it agrees, and turns one row of the
source into standard rows. Detection tries every layout; the one that explains the most columns wins, a draw is
an error, and so is a source that none explains.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from truing.data.layouts.refused import no_preference
from truing.data.rows import Converted, Row, is_list
from truing.errors import DataError
from truing.registry import Registry

if TYPE_CHECKING:
    from truing.objectives.algebra.scores import DataKind

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Miss:
    """Why a layout does not fit.

    Args:
        missing: columns that it needs and the source lacks.
        reason: what is wrong with the columns that are there.
        found: how many of its columns the source has.
    """

    missing: tuple[str, ...] = ()
    reason: str = ""
    found: int = 0

    def __str__(self) -> str:
        return f"missing {', '.join(self.missing)}" if self.missing else self.reason


@dataclass(frozen=True, eq=False)
class Layout:
    """One way in which public data is laid out.

    Args:
        name: what ``data.layout`` calls it.
        summary: one sentence.
        kind: the kind of records it gives.
        needs: columns without which it is not this layout.
        convert: from one row to standard rows, skips and remarks; raises ``RowError``.
        example: one row, shortened.
        fits: given sample rows that have the columns, a reason why they are not this layout, or ``None``.
        ranks: extra weight against layouts that explain as many columns.
        by_name_only: never detected; has to be asked for.
        uses: further columns that it reads where they exist.
        note: what a reader of the records should know about them.
        aliases: other names.
    """

    name: str
    summary: str
    kind: DataKind
    needs: tuple[str, ...]
    convert: Callable[[Row], Iterable[Converted]]
    example: Mapping[str, Any]
    fits: Callable[[Rows], str | None] | None = None
    ranks: int = 0
    by_name_only: bool = False
    uses: tuple[str, ...] = ()
    note: str = ""
    aliases: tuple[str, ...] = ()

    @cached_property
    def known(self) -> frozenset[str]:
        """Columns that it reads."""
        return frozenset({*self.needs, *self.uses})

    def matches(self, columns: Iterable[str], rows: Rows) -> int | Miss:
        """How many columns the layout explains, or why it does not fit."""
        present = set(columns)
        missing = tuple(name for name in self.needs if name not in present)
        found = len(self.needs) - len(missing)
        if missing:
            return Miss(missing, found=found)
        reason = self.fits(rows) if self.fits is not None else None
        return Miss(reason=reason, found=found) if reason else len(self.needs) + self.ranks


LAYOUTS: Registry[Layout] = Registry("data layout")


def detect(rows: Rows, where: str) -> Layout:
    """Find the layout of a source from its first rows.

    Raises:
        DataError: if no layout fits, several fit equally well, or the rows are of several layouts.
    """
    columns = present_columns(rows)
    best = _best(columns, rows)
    if len(best) == 1:
        return best[0]
    if not best:
        raise _unknown(columns, rows, where)
    _refuse_mixture(rows, where)
    raise DataError(
        f"the data could be read in {len(best)} ways: {', '.join(layout.name for layout in best)}",
        where=f"{where}, columns {', '.join(columns)}",
        allowed="; ".join(f"{layout.name}: {layout.summary}" for layout in best),
        fix=f"data.layout: {best[0].name} (or another of these)",
    )


def present_columns(rows: Rows) -> list[str]:
    """Columns that have a value in at least one row, in order of appearance."""
    seen: dict[str, None] = {}
    for row in rows:
        seen.update((str(name), None) for name, value in row.items() if value is not None)
    return list(seen)


def _best(columns: Sequence[str], rows: Rows) -> list[Layout]:
    """The layouts that explain the most columns."""
    scores = {
        layout: score
        for layout in LAYOUTS
        if not layout.by_name_only and isinstance(score := layout.matches(columns, rows), int)
    }
    return [layout for layout, score in scores.items() if score == max(scores.values())]


def _refuse_mixture(rows: Rows, where: str) -> None:
    """Raise if single rows are each of one layout, but not all of the same."""
    owners: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        best = _best(present_columns([row]), [row])
        if len(best) == 1:
            owners.setdefault(best[0].name, number)
    if len(owners) > 1:
        raise DataError(
            "the rows are of several layouts",
            where=f"{where}: " + "; ".join(f"row {n} looks like {name!r}" for name, n in owners.items()),
            fix="write one file for each layout",
        )


def _unknown(columns: Sequence[str], rows: Rows, where: str) -> DataError:
    misses = [
        (layout, miss)
        for layout in LAYOUTS
        if not layout.by_name_only and isinstance(miss := layout.matches(columns, rows), Miss) and miss.found
    ]
    misses.sort(key=lambda pair: (len(pair[1].missing), -pair[1].found, pair[0].name))
    nearest = "; ".join(f"{layout.name} ({miss})" for layout, miss in misses[:4])
    where = f"{where}, columns {', '.join(columns) or 'none'}; first row {excerpt(rows[0])}"
    known = no_preference(columns, rows)
    if known is not None:
        return DataError(known[0], where=where, allowed=FORMS, fix=known[1])
    names = ", ".join(layout.name for layout in LAYOUTS)
    return DataError(
        "no known data layout has these columns",
        where=where,
        allowed=f"nearest layouts: {nearest}" if nearest else f"{FORMS}; or {names}",
        fix="rename columns, e.g. data.columns: {prompt: question, completion: answer}",
    )


FORMS = (
    "prompt, chosen, rejected; or prompt, completion, label; or prompt, completions, scores; or prompt, completion"
)


def excerpt(row: Mapping[str, Any], width: int = 32, fields: int = 6) -> str:
    """One row as JSON, with long values cut and deep ones folded."""
    shown = {str(name): _cut(value, width) for name, value in list(row.items())[:fields]}
    if len(row) > fields:
        shown["..."] = f"{len(row) - fields} more"
    return json.dumps(shown, ensure_ascii=True, default=str)


def _cut(value: Any, width: int, depth: int = 1) -> Any:
    if isinstance(value, str):
        return value if len(value) <= width else value[: width - 3] + "..."
    if isinstance(value, Mapping):
        return {str(k): _cut(v, width, depth - 1) for k, v in list(value.items())[:2]} if depth else "{...}"
    if is_list(value):
        head = [_cut(v, width, depth - 1) for v in value[:2]] if depth else []
        return head + (["..."] if len(value) > len(head) else [])
    if isinstance(value, int | float | bool) or value is None:
        return value
    return _cut(repr(value), width)
