"""Ways to make records from records, by name.

A *relabelling* gives other pairs, training and held-out ones alike (``data.relabel`` in a recipe). A *part
maker* gives every pair a further record that an objective wants beside it; it is used where the objective takes a
part of that name and the recipe names no data for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import xxhash

from truing.data.asking import Asking
from truing.data.records import Records
from truing.data.rows import Row
from truing.data.table import TableWriter
from truing.data.views import view
from truing.errors import DataError
from truing.registry import Registry

if TYPE_CHECKING:
    from truing.objectives.algebra.scores import DataKind

Rows = Callable[[Row], Iterable[Row]]


@dataclass(frozen=True)
class Relabelling:
    """From records to pairs that are trained on instead.

    Attributes:
        name: what ``data.relabel`` calls it.
        summary: one sentence.
        rows: the pairs that one row becomes.
        needs: columns without which it cannot be done.
        takes: what it is made from: pairs, or unwanted answers.
        asking: from the records before they are relabelled, how the trained model is to be asked; by default plainly.
    """

    name: str
    summary: str
    rows: Rows
    needs: tuple[str, ...] = ()
    takes: DataKind = "pairs"
    aliases: tuple[str, ...] = ()
    asking: Callable[[Records], Asking] | None = None


@dataclass(frozen=True)
class PartMaker:
    """Further records beside pairs.

    Attributes:
        name: of the part.
        summary: one sentence.
        kind: of the records that it makes.
        rows: from one pair, and the seed, to the part's row; none where the pair gives none.
        needs: columns without which it cannot be done.
    """

    name: str
    summary: str
    kind: DataKind
    rows: Callable[[Row, int], Row | None]
    needs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def __call__(self, records: Records, seed: int) -> Records:
        """The part's records; each has the id of the pair that it belongs to.

        Raises:
            DataError: if the records are no pairs, lack a column, or give no row at all.
        """
        _check(records, f"the part {self.name!r}", self.needs, f"name data for it under data.parts.{self.name}")

        def rows(row: Row) -> Iterable[Row]:
            made = self.rows(row, seed)
            kept: Row = {name: row[name] for name in ("id", "weight") if name in row}
            return [] if made is None else [{**kept, **made}]

        return _rewritten(records, self.kind, f"{self.name}-{seed}", rows, f"{self.name}: made from the pairs")


RELABELLINGS: Registry[Relabelling] = Registry("relabelling", DataError)
PARTS: Registry[PartMaker] = Registry("part", DataError)


def relabelled(records: Records, names: Sequence[str], where: str = "data.relabel") -> Records:
    """Records after all relabellings, one after the other.

    Raises:
        DataError: if one is unknown, or cannot be applied.
    """
    for name in names:
        change = RELABELLINGS.get(name, where)
        if change.takes != "pairs":
            records = view(records, {change.takes})
        _check(
            records, f"the relabelling {change.name!r}", change.needs, "remove it from data.relabel", change.takes
        )
        note = f"{change.name}: {change.summary}"
        records = _rewritten(records, "pairs", change.name, change.rows, note)
    return records


def with_prompts(records: Records, change: Callable[[Any], Any], settings: str) -> Records:
    """The same records with other prompts.

    Args:
        records: of any kind.
        change: from a prompt to another.
        settings: what distinguishes this change from others.
    """
    return _rewritten(
        records, records.kind, settings, lambda row: [{**row, "prompt": change(row["prompt"])}], settings
    )


def _check(records: Records, what: str, needs: Sequence[str], fix: str, kind: DataKind = "pairs") -> None:
    where = f"{records.source}, layout {records.layout!r}"
    if records.kind != kind:
        raise DataError(f"{what} is made from {kind}, and these are {records.kind} data", where=where, fix=fix)
    if records.streaming:
        raise DataError(f"{what} cannot be made from a stream", where="data.streaming", fix="read the data whole")
    absent = [name for name in needs if name not in records.columns]
    if absent:
        raise DataError(
            f"{what} needs the column {absent[0]!r}, and no row has one",
            where=where,
            allowed=f"data with {', '.join(needs)}",
            fix=f"rename a column, e.g. data.columns: {{{absent[0]}: YOUR_COLUMN}}, or {fix}",
        )


def _rewritten(records: Records, kind: DataKind, settings: str, rows: Rows, note: str) -> Records:
    key = f"{records.fingerprint}-{xxhash.xxh3_64_hexdigest(f'{kind}/{settings}'.encode())}"
    without = 0
    with TableWriter(kind, records.conversational, key) as writer:
        for row in records.dataset:
            made = list(rows({name: value for name, value in row.items() if value is not None}))
            without += not made
            for new in made:
                writer.add(new)
        if not writer.rows:
            raise DataError(f"no row gives one: {note}", where=records.source, fix="look at the rows")
        dataset = writer.finish()
    notes = (*records.notes, f"{note}; {len(dataset):,} rows from {len(records):,}")
    if without:
        notes = (*notes, f"{without:,} rows give none")
    return replace(records, dataset=dataset, kind=kind, notes=notes)


def with_instruction(prompt: Any, instruction: str) -> Any:
    """A prompt with a further instruction: at the end of the last user message, or in front of plain text."""
    if isinstance(prompt, str):
        return f"{instruction}\n\n{prompt}"
    turns = [dict(message) for message in prompt]
    for message in reversed(turns):
        if message["role"] == "user":
            message["content"] = f"{message['content']}\n\n{instruction}"
            return turns
    return [*turns, {"role": "user", "content": instruction}]


def said(text: Any) -> str:
    """What a prompt or an answer says, as one text; the speakers of a conversation are named."""
    if isinstance(text, str):
        return text
    if len(text) == 1:
        return str(text[0]["content"])
    return "\n".join(f"{message['role'].capitalize()}: {message['content']}" for message in text)


def as_prompt(text: str, like: Any) -> Any:
    """A text as a prompt of the same form as another."""
    return text if isinstance(like, str) else [{"role": "user", "content": text}]


def as_answer(text: str, like: Any) -> Any:
    """A text as an answer of the same form as another."""
    return text if isinstance(like, str) else [{"role": "assistant", "content": text}]
