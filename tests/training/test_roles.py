"""Roles of records with parts, against a slow construction that places one sequence after the other."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from truing.objectives.algebra import Batch, DataKind
from truing.training.examples import Drawn, SameRow
from truing.training.roles import joined, roles

KINDS: list[DataKind] = ["pairs", "unpaired", "ranked", "demonstrations", "unwanted", "samples"]
NAMES = ["kept", "other", "samples"]


@st.composite
def rows_of(draw: st.DrawFn, kind: DataKind, count: int) -> list[dict[str, Any]]:
    found = []
    for _ in range(count):
        low, high = {"pairs": (2, 2), "ranked": (2, 4), "samples": (1, 4)}.get(kind, (1, 1))
        size = draw(st.integers(low, high))
        scores = draw(st.permutations(range(size)))
        found.append(
            {"completion_ids": [[7]] * size, "label": draw(st.booleans()), "scores": [float(s) for s in scores]}
        )
    return found


@st.composite
def worlds(
    draw: st.DrawFn,
) -> tuple[DataKind, list[dict[str, Any]], dict[str, tuple[DataKind, list[dict[str, Any]]]]]:
    count = draw(st.integers(1, 5))
    kind = draw(st.sampled_from(KINDS))
    parts = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        of = draw(st.sampled_from(KINDS))
        parts[name] = (of, draw(rows_of(of, count)))
    return kind, draw(rows_of(kind, count)), parts


def expected_roles(kind: DataKind, row: dict[str, Any], start: int) -> tuple[list[int], list[int]]:
    """Chosen and rejected places of one row whose sequences begin at ``start``."""
    size = len(row["completion_ids"])
    if kind == "pairs":
        return [start], [start + 1]
    if kind == "ranked":
        best, worst = row["scores"].index(max(row["scores"])), row["scores"].index(min(row["scores"]))
        return [start + best], [start + worst]
    if kind == "unpaired":
        return ([start], []) if row["label"] else ([], [start])
    if kind == "unwanted":
        return [], [start]
    return list(range(start, start + size)), []


@given(worlds())
@settings(max_examples=80, deadline=None)
def test_every_sequence_has_the_place_and_the_role_that_a_slow_construction_gives(world: Any) -> None:
    kind, rows, parts = world
    found = joined(roles(kind, rows), {name: roles(of, of_part) for name, (of, of_part) in parts.items()})
    place = 0
    example: list[int] = []
    chosen: dict[str, list[int]] = {name: [] for name in ("", *parts)}
    rejected: dict[str, list[int]] = {name: [] for name in ("", *parts)}
    own: dict[str, list[int]] = {name: [] for name in ("", *parts)}
    for record, row in enumerate(rows):
        for name, (of, source) in {"": (kind, rows), **parts}.items():
            part = row if name == "" else source[record]
            up, down = expected_roles(of, part, place)
            size = len(part["completion_ids"])
            chosen[name] += up
            rejected[name] += down
            own[name] += range(place, place + size)
            example += [record] * size
            place += size
    batches: dict[str, Batch] = {"": found, **found.parts}
    assert list(found.parts) == list(parts)
    for name, batch in batches.items():
        assert batch.example.tolist() == example
        assert batch.examples == len(rows)
        assert batch.sequences.tolist() == own[name]
        assert batch.chosen.tolist() == chosen[name]
        assert batch.rejected.tolist() == rejected[name]


@given(worlds())
@settings(max_examples=40, deadline=None)
def test_rewards_stay_with_their_sequences(world: Any) -> None:
    kind, rows, parts = world
    found = joined(roles(kind, rows), {name: roles(of, of_part) for name, (of, of_part) in parts.items()})
    for name, (of, source) in {"": (kind, rows), **parts}.items():
        batch = found if name == "" else found.parts[name]
        if of != "ranked":
            assert batch.reward is None
            continue
        assert batch.reward is not None
        flat = [score for row in source for score in row["scores"]]
        assert batch.reward[batch.sequences].tolist() == flat
        assert torch.isnan(batch.reward).sum() == len(found.example) - len(flat)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_a_part_is_gone_through_without_repetition(count: int, records: int, seed: int) -> None:
    """Whatever the number of records, any ``count`` draws from the start of a turn are all rows once."""
    partner = Drawn(count, seed)
    rows = [partner(index, records) for index in range(3 * count)]
    for turn in range(3):
        assert sorted(rows[turn * count : (turn + 1) * count]) == list(range(count))


def test_orders_differ_between_passes_and_seeds() -> None:
    partner, other = Drawn(20, 0), Drawn(20, 1)
    first, second = ([partner(20 * turn + i, 20) for i in range(20)] for turn in (0, 1))
    assert first != second
    assert first != [other(i, 20) for i in range(20)]
    assert first == [Drawn(20, 0)(i, 20) for i in range(20)]


def test_a_part_made_from_the_records_goes_with_its_record_in_every_pass() -> None:
    assert [SameRow()(index, 4) for index in range(10)] == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
