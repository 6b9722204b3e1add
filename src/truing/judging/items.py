"""Pairs of answers as files hold them, with what people or judges said of them, and who wrote the answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from truing.data.readers import read_rows
from truing.data.rows import Row, RowError, shorten
from truing.errors import DataError
from truing.judging.orders import Orders, read_orders
from truing.judging.presentation import Pair
from truing.judging.verdict import UNREAD, Opinion, Winner
from truing.rewards.algebra.context import Prompt

_WINNERS: dict[str | None, Winner] = {"first": "A", "second": "B", "tie": "tie", None: "abstain"}
_OWN: dict[Any, Winner] = {"A": "A", "B": "B", "tie": "tie", "abstain": "abstain"}


@dataclass(frozen=True)
class Item:
    """A pair, with what a file says of it.

    Attributes:
        pair: the answers.
        subset: part of the data that it belongs to.
        models: who wrote A and B; ``None`` where the file does not say.
        label: which answer is better, by people, by a rule, or by the judge that the file records.
        labelled_by: whose label it is.
        recorded: the recorded opinion of A against B; of a label, the label.
        recorded_by: whose opinion that is; ``None`` where it is the label itself.
        as_shown: the recorded opinion of the answers as they stood, where the file lets that be seen.
        votes: labels of several annotators.
        orders: the recorded opinions behind ``recorded``, of the answers as they stood; empty where only it is known.
        before: opinions of the whole answers, before they were shown otherwise.
    """

    pair: Pair
    subset: str = "all"
    models: tuple[str, str] | None = None
    label: Winner | None = None
    labelled_by: str = "label"
    recorded: Opinion = UNREAD
    recorded_by: str | None = None
    as_shown: Opinion | None = None
    votes: tuple[Winner, ...] = ()
    orders: Orders = ()
    before: Orders = ()


@dataclass(frozen=True)
class PairLayout:
    """A layout of files of pairs.

    Args:
        name: of the layout.
        needs: columns.
        read: from a row and the name of its file to an item.
    """

    name: str
    needs: tuple[str, ...]
    read: Callable[[Row, str], Item]


def read_items(paths: Sequence[Path], reference: str | None = None) -> list[Item]:
    """Pairs of files of one or several layouts.

    Args:
        paths: JSON, JSONL, CSV, TSV or Parquet, each also gzipped.
        reference: column that holds an answer that is known to be right.

    Raises:
        DataError: if a file cannot be read, its columns fit no layout, or a row cannot be understood.
    """
    found = []
    for path in paths:
        layout: PairLayout | None = None
        for number, row in read_rows(path):
            where = f"{path}:{number}"
            layout = layout or layout_of(row, where)
            try:
                item = layout.read(row, path.name.partition(".")[0])
                found.append(item if reference is None else replace(item, pair=_guided(item.pair, row, reference)))
            except RowError as error:
                raise DataError(f"{error.reason} (layout {layout.name})", where=where, fix=error.fix) from error
    return found


def layout_of(row: Mapping[str, Any], where: str) -> PairLayout:
    """The layout whose columns a row has.

    Raises:
        DataError: if there is none.
    """
    for layout in LAYOUTS:
        if all(name in row for name in layout.needs):
            return layout
    raise DataError(
        f"the columns {', '.join(sorted(map(str, row)))} hold no pairs of answers",
        where=where,
        allowed="; ".join(f"{layout.name}: {', '.join(layout.needs)}" for layout in LAYOUTS),
        fix="name two files of answers to the same prompts, or rename the columns to prompt, a and b",
    )


def said(row: Row, name: str) -> str:
    """A text of a row; what was written as a boolean or a number is read as the word.

    Raises:
        RowError: if the column is missing or holds neither.
    """
    value = row.get(name)
    if isinstance(value, bool | int | float):
        return str(value)
    if not isinstance(value, str):
        raise RowError(f"`{name}` is {shorten(value)}, and not a text")
    return value


def _guided(pair: Pair, row: Row, column: str) -> Pair:
    if column not in row:
        raise RowError(f"there is no column `{column}`, which --reference names", f"columns: {', '.join(row)}")
    value = row[column]
    text = value[0] if isinstance(value, list) and value else value
    return replace(pair, reference=None if text is None else str(text))


def _named(row: Row, column: str, names: Mapping[Any, Winner]) -> Winner:
    value = row.get(column)
    key = int(value) if isinstance(value, str) and value.strip().isdigit() else value
    if isinstance(key, bool | list | dict) or key not in names:
        raise RowError(f"`{column}` is {shorten(value)}; allowed: {', '.join(map(str, names))}")
    return names[key]


def _labelled(item: Item, label: Winner) -> Item:
    shares: dict[Winner, float | None] = {"A": 1.0, "B": 0.0, "tie": 0.5, "abstain": None}
    return replace(item, label=label, recorded=Opinion(shares[label], abstained=label == "abstain"))


def _own(row: Row, stem: str) -> Item:
    """What ``truing judge --output`` writes, and any file with these names."""
    prompt = _prompt(row)
    models = (str(row["model_a"]), str(row["model_b"])) if row.get("model_a") and row.get("model_b") else None
    item = Item(Pair(prompt, said(row, "a"), said(row, "b")), str(row.get("subset") or "all"), models)
    judge = str(row.get("judge") or "winner")
    if row.get("winner") is not None:
        winner = _named(row, "winner", _OWN)
        share = row.get("share")
        known = isinstance(share, int | float) and math.isfinite(share)
        item = replace(
            _labelled(item, winner),
            labelled_by=judge,
            orders=read_orders(row.get("orders"), "orders"),
            before=read_orders(row.get("before"), "before"),
            **({"recorded": Opinion(float(share))} if known else {}),  # type: ignore[arg-type]
        )
    if row.get("label") is not None:
        label, giver = _named(row, "label", _OWN), str(row.get("labelled_by") or "label")
        if row.get("winner") is None:
            return replace(_labelled(item, label), labelled_by=giver)
        item = replace(item, label=label, labelled_by=giver, recorded_by=None if giver == judge else judge)
    return item


def _prompt(row: Row) -> Prompt:
    value = row.get("prompt")
    if not isinstance(value, list):
        return said(row, "prompt")
    if not all(isinstance(message, dict) for message in value):
        raise RowError(f"`prompt` is {shorten(value)}, and neither a text nor messages")
    return value


def last_text(row: Row, name: str) -> str:
    """A text of a row, or the text of the last of its messages.

    Raises:
        RowError: if the column is missing or holds neither.
    """
    value = row.get(name)
    if not isinstance(value, list):
        return said(row, name)
    text = value[-1].get("content", "") if value and isinstance(value[-1], dict) else None
    if not isinstance(text, str):
        raise RowError(f"`{name}` is {shorten(value)}, and neither a text nor messages")
    return text


def _alpaca_eval(row: Row, stem: str) -> Item:
    pair = Pair(said(row, "instruction"), said(row, "output_1"), said(row, "output_2"))
    models = tuple(str(row.get(f"generator_{number}") or f"output_{number}") for number in (1, 2))
    item = Item(pair, str(row.get("dataset") or "all"), (models[0], models[1]))
    if "preference" not in row:
        return item
    value = row["preference"]
    opinion = UNREAD
    if value is not None and not (isinstance(value, float) and math.isnan(value)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not (value == 0 or 1 <= value <= 2):
            raise RowError(f"`preference` is {shorten(value)}; it is 1 to 2, 0 for a tie, or null")
        # In AlpacaEval 1 a tie was 0 before it was 1.5.
        opinion = Opinion(0.5 if value == 0 else 2.0 - float(value))
    return replace(
        item,
        recorded=opinion,
        label=_WINNERS[opinion.side],
        labelled_by=str(row.get("annotator") or "preference"),
        as_shown=_as_shown(row.get("raw_completion"), opinion),
    )


def _as_shown(raw: Any, opinion: Opinion) -> Opinion | None:
    """AlpacaEval 2 draws the order, calls the answers m and M as they stand, and keeps the letter that was said."""
    letter = raw.get("text") if isinstance(raw, Mapping) else None
    if letter not in ("m", "M") or opinion.first is None or opinion.side == "tie":
        return None
    certain = max(opinion.first, 1 - opinion.first)
    return Opinion(certain if letter == "m" else 1 - certain)


def _pandalm(row: Row, stem: str) -> Item:
    prompt = "\n\n".join(text for text in (said(row, "instruction"), str(row.get("input") or "")) if text)
    votes = tuple(_named(row, f"annotator{number}", {0: "tie", 1: "A", 2: "B"}) for number in (1, 2, 3))
    compared = str(row.get("cmp_key") or "").split("_")
    models = (compared[0], compared[1]) if len(compared) == 2 else None
    item = Item(
        Pair(prompt, said(row, "response1"), said(row, "response2")),
        str(row.get("cmp_key") or "all"),
        models,
        labelled_by="majority of three annotators",
        votes=votes,
    )
    return _labelled(item, majority(votes))


def majority(votes: Iterable[Winner]) -> Winner:
    """What more than half of votes say; no verdict without that."""
    counts = Counter(votes)
    (most, count) = counts.most_common(1)[0]
    return most if 2 * count > counts.total() else "abstain"


def _labels(
    prompt: str, first: str, second: str, names: Mapping[Any, Winner], subset: str | None
) -> Callable[[Row, str], Item]:
    def read(row: Row, stem: str) -> Item:
        part = stem if subset is None else str(row.get(subset) or "all")
        return _labelled(
            Item(Pair(said(row, prompt), said(row, first), said(row, second)), part), _named(row, "label", names)
        )

    return read


def _chosen(row: Row, stem: str) -> Item:
    pair = Pair(_prompt(row), last_text(row, "chosen"), last_text(row, "rejected"))
    return _labelled(Item(pair, labelled_by="chosen"), "A")


LAYOUTS = (
    PairLayout("truing", ("prompt", "a", "b"), _own),
    PairLayout(
        "pandalm", ("instruction", "response1", "response2", "annotator1", "annotator2", "annotator3"), _pandalm
    ),
    PairLayout(
        "auto-j",
        ("prompt", "response 1", "response 2", "label"),
        _labels("prompt", "response 1", "response 2", {0: "A", 1: "B", 2: "tie"}, "scenario"),
    ),
    PairLayout(
        "judgebench",
        ("question", "response_A", "response_B", "label"),
        _labels("question", "response_A", "response_B", {"A>B": "A", "B>A": "B"}, "source"),
    ),
    PairLayout(
        "llmbar",
        ("input", "output_1", "output_2", "label"),
        _labels("input", "output_1", "output_2", {1: "A", 2: "B"}, None),
    ),
    PairLayout("alpaca-eval", ("instruction", "output_1", "output_2"), _alpaca_eval),
    PairLayout("pairs", ("prompt", "chosen", "rejected"), _chosen),
)
"""Layouts, in the order in which they are tried."""
