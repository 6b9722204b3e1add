"""Verdicts that files hold, in place of a judge: each row has its own, in every order that was written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from truing.errors import DataError
from truing.judging.bench import Judged
from truing.judging.items import Item
from truing.judging.measures import consistency
from truing.judging.merging import Merge, soft
from truing.judging.orders import Orders
from truing.judging.presentation import SINGLE, Presentation
from truing.judging.verdict import Opinion, Side, Verdict
from truing.rewards.algebra.context import prompt_key
from truing.statistics import rate

_MIRRORED: dict[Side, Side] = {"first": "second", "second": "first", "tie": "tie"}


def recorded_judge(items: Sequence[Item]) -> str:
    """Whose verdicts files hold.

    Raises:
        DataError: if they hold none.
    """
    names = dict.fromkeys(item.recorded_by or item.labelled_by for item in items if item.label is not None)
    if not names:
        raise DataError(
            "the file holds answers and no verdicts",
            where="--recorded",
            allowed="columns such as preference, label, winner or annotator1",
            fix="name a judge by --judge",
        )
    return " + ".join(names)


def recorded_verdicts(items: Sequence[Item], merge: Merge | None = None) -> Judged:
    """The verdict of every row; a pair that stands in several rows has several, and all count.

    Args:
        items: of files.
        merge: what the recorded opinions on a row come to. If left out, verdicts stay as they were recorded, and a
            graded preference counts by its share.
    """
    verdicts = [_kept(item) if merge is None else merge(*_orders(item)) for item in items]
    before = [soft(*_apart(item.before)) for item in items if item.before]
    details: dict[str, Any] = {"consistency_before": consistency(before)} if before else {}
    same, exchanged = _again(items)
    if same:
        details["rows_that_repeat_a_pair"] = len(items) - len({_key(item) for item in items})
        details["repeated_pairs_with_one_verdict"] = rate(sum(same), len(same))
    if exchanged:
        details["pairs_in_rows_of_both_orders_with_one_verdict"] = rate(sum(exchanged), len(exchanged))
    return Judged(verdicts, sum(len(verdict.opinions) for verdict in verdicts), details)


def _apart(orders: Orders) -> tuple[tuple[Presentation, ...], tuple[Opinion, ...]]:
    return tuple(shown for shown, _ in orders), tuple(said for _, said in orders)


def _orders(item: Item) -> tuple[tuple[Presentation, ...], tuple[Opinion, ...]]:
    return _apart(item.orders) if item.orders else (SINGLE, (item.recorded,))


def _kept(item: Item) -> Verdict:
    shown, said = _orders(item)
    return replace(soft(SINGLE, [item.recorded]), presentations=shown, opinions=said)


def _key(item: Item) -> tuple[str, str, str]:
    return prompt_key(item.pair.prompt), item.pair.a, item.pair.b


def _again(items: Sequence[Item]) -> tuple[list[bool], list[bool]]:
    """Of pairs in several rows whether all their verdicts are alike: in the same order, and in both."""
    sides: dict[tuple[str, str, str], list[Side | None]] = {}
    for item in items:
        sides.setdefault(_key(item), []).append(item.recorded.side)
    same = [len(set(own)) == 1 for own in sides.values() if len(own) > 1]
    exchanged = []
    for (prompt, a, b), own in sides.items():
        other = sides.get((prompt, b, a), []) if a < b else []
        if other and None not in (*own, *other):
            exchanged.append(len({*own, *(_MIRRORED[side] for side in other if side)}) == 1)
    return same, exchanged
