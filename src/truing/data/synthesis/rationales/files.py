"""From pairs to the same pairs with rationales, as the part ``rationale`` of the objective rationale-po reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.chat.model import ChatModel
from truing.data.derive.base import said
from truing.data.rows import Message, Row
from truing.data.sources import load
from truing.data.synthesis.files import write_rows
from truing.data.synthesis.rationales.faults import FAULTS, fault_in, tidied
from truing.data.synthesis.rationales.wording import check_variant, follow_up, rationale_question
from truing.data.views import view
from truing.errors import DataError

PART = 64
"""Pairs that are asked about between two reports of progress."""


@dataclass(frozen=True)
class Explained:
    """What was written.

    Attributes:
        path: file of all pairs.
        pairs: how many.
        rationales: pairs that have one.
        mended: of these, those whose first reply could not be used.
        faults: pairs without one, by the fault of the last reply.
    """

    path: Path
    pairs: int
    rationales: int
    mended: int
    faults: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "path": str(self.path)}

    def sentences(self) -> list[str]:
        """For people."""
        left = ", ".join(f"{count:,} {FAULTS[name][1]}" for name, count in self.faults.items())
        return [
            f"{self.path}: {self.pairs:,} pairs, {self.rationales:,} with a rationale ({self.mended:,} at the second "
            "attempt or later)",
            *([f"without one: {left}; see {self.path.parent / 'unused.jsonl'}"] if left else []),
        ]


@dataclass(frozen=True)
class _Try:
    """The last reply about one pair, and its fault."""

    text: str
    fault: str | None
    attempt: int


def read_pairs(source: str, limit: int | None = None) -> list[Row]:
    """Pairs with ids, from data of any layout that has or makes pairs.

    Raises:
        DataError: if the data cannot be read, or not as pairs.
    """
    records = view(load(source, limit=limit), {"pairs"})
    rows = [{name: value for name, value in row.items() if value is not None} for row in records]
    return [{"id": f"pair/{place}", **row} for place, row in enumerate(rows)]


def write_rationales(
    pairs: Sequence[Row],
    output: Path,
    writer: ChatModel,
    *,
    variant: str = "detailed",
    attempts: int = 2,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Explained:
    """Write ``pairs.jsonl``, all pairs with the column ``rationale`` where one could be used, and ``unused.jsonl``.

    A pair without one stays in the file: other objectives learn from it, rationale-po leaves it out. A reply that
    cannot be used is shown to the writer with what is wrong with it, as often as there are attempts.

    Args:
        pairs: rows with ``prompt``, ``chosen``, ``rejected`` and ``id``; rationales that they have are replaced.
        output: folder.
        writer: who explains.
        variant: a name of :data:`~truing.data.synthesis.rationales.wording.VARIANTS`.
        attempts: at each pair, 1 or more.
        seed: of the order in which answers are shown.
        progress: called with (pairs done, pairs in all).

    Raises:
        DataError: if there is no such variant, there are no pairs or attempts, or not one rationale can be used.
    """
    check_variant(variant)
    if attempts < 1:
        raise DataError(f"{attempts} attempts", where="--attempts", allowed="1 or more")
    if not pairs:
        raise DataError("there are no pairs", where="DATA")
    tried: list[_Try] = []
    for start in range(0, len(pairs), PART):
        part = pairs[start : start + PART]
        tried += _explained(part, writer, [rationale_question(row, variant, seed) for row in part], attempts)
        if progress is not None:
            progress(len(tried), len(pairs))
    used = [one for one in tried if one.fault is None]
    if not used:
        sample = " ".join(tried[0].text.split())[:100]
        raise DataError(
            f"none of {len(tried):,} rationales can be used; the first: {FAULTS[tried[0].fault or 'empty'][1]}, "
            f"{sample!r}",
            where="--model",
            fix="take a model that follows instructions, or allow longer replies",
        )
    rows = [
        {**{name: value for name, value in row.items() if name != "rationale"}, **_column(one)}
        for row, one in zip(pairs, tried, strict=True)
    ]
    unused = [
        {"id": row["id"], "fault": one.fault, "reply": one.text}
        for row, one in zip(pairs, tried, strict=True)
        if one.fault is not None
    ]
    write_rows(output / "pairs.jsonl", rows)
    (output / "unused.jsonl").unlink(missing_ok=True)
    if unused:
        write_rows(output / "unused.jsonl", unused)
    counts = Counter(row["fault"] for row in unused)
    mended = sum(one.attempt > 1 for one in used)
    return Explained(
        output / "pairs.jsonl", len(rows), len(used), mended, {n: counts[n] for n in FAULTS if counts[n]}
    )


def _column(one: _Try) -> Row:
    return {"rationale": one.text if one.fault is None else None}


def _explained(
    rows: Sequence[Row], writer: ChatModel, questions: Sequence[list[Message]], attempts: int
) -> list[_Try]:
    """The first reply about each row that can be used, else the last one."""
    found: dict[int, _Try] = {}
    open_ = {place: list(question) for place, question in enumerate(questions)}
    for attempt in range(1, attempts + 1):
        # What a reply is worth is decided here: an endpoint would ask again in the same words.
        replies = writer(list(open_.values()), str)
        for (place, question), reply in zip(list(open_.items()), replies, strict=True):
            text = tidied(reply or "")
            fault = fault_in(text, *(said(rows[place][name]) for name in ("prompt", "chosen", "rejected")))
            found[place] = _Try(text, fault, attempt)
            if fault is None:
                del open_[place]
            else:
                open_[place] = follow_up(question, text, FAULTS[fault][1])
        if not open_:
            break
    return [found[place] for place in range(len(rows))]
