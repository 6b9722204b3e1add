"""A loss belongs to its records: however they are split, filtered, repeated, reordered or joined by others."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from truing.objectives.algebra import DataKind, log_ratio

from .cases import build, every_layout, uncoupled_layouts
from .worlds import assemble, evaluate, loss_and_gradients, records, statistics, with_weight

CLOSE = {"rel": 1e-10, "abs": 1e-12}


def _same(left: torch.Tensor, right: torch.Tensor) -> None:
    torch.testing.assert_close(left, right, rtol=1e-10, atol=1e-12)


@uncoupled_layouts
def test_the_parts_add_up_to_the_whole(name: str, kind: DataKind) -> None:
    objective, given = build(name), records(kind, 7, objective=build(name))
    world = assemble(kind, given)
    state = statistics(objective, world)
    denominators = objective.denominators(world.batch, world.scores.lengths)
    whole, gradients = loss_and_gradients(objective, kind, given, state)
    parts = [
        loss_and_gradients(objective, kind, part, state, denominators)
        for part in (given[:1], given[1:4], given[4:])
    ]
    assert sum(loss for loss, _ in parts) == pytest.approx(whole, **CLOSE)
    for own, expected in zip([g for _, part in parts for g in part], gradients, strict=True):
        _same(own, expected)


@uncoupled_layouts
def test_the_batch_is_the_mean_of_single_records(name: str, kind: DataKind) -> None:
    """Of every term by itself, because a record may count in one and not in another."""
    objective, given = build(name), records(kind, 6, length=4, objective=build(name))
    world = assemble(kind, given)
    state = statistics(objective, world)
    mean = 0.0
    for own, term in zip(state, objective.terms, strict=True):
        alone = replace(objective, terms=(term,), reward=log_ratio())
        ones = [assemble(kind, [record]) for record in given]
        counts = [float(alone.denominators(one.batch, one.scores.lengths)) for one in ones]
        losses = [float(evaluate(alone, one, [own]).loss.detach()) for one in ones]
        mean += sum(c * loss for c, loss in zip(counts, losses, strict=True)) / sum(counts)
    assert float(evaluate(objective, world, state).loss.detach()) == pytest.approx(mean, **CLOSE)


@every_layout
def test_weight_zero_is_the_same_as_leaving_the_record_out(name: str, kind: DataKind) -> None:
    objective, given = build(name), records(kind, 8, objective=build(name))
    dropped = {1, 2, 5}
    masked = [with_weight(r, 0.0) if i in dropped else r for i, r in enumerate(given)]
    kept = [r for i, r in enumerate(given) if i not in dropped]
    loss, gradients = loss_and_gradients(objective, kind, masked)
    expected, expected_gradients = loss_and_gradients(objective, kind, kept)
    assert loss == pytest.approx(expected, **CLOSE)
    assert not any(gradients[i].any() for i in dropped)
    for own, other in zip(
        (g for i, g in enumerate(gradients) if i not in dropped), expected_gradients, strict=True
    ):
        _same(own, other)
    left, right = (evaluate(objective, assemble(kind, r)).metrics for r in (masked, kept))
    assert {k: float(v) for k, v in left.items()} == pytest.approx({k: float(v) for k, v in right.items()})


@every_layout
def test_weight_zero_leaves_the_statistics_alone(name: str, kind: DataKind) -> None:
    objective, given = build(name), records(kind, 8, objective=build(name))
    masked = [with_weight(r, 0.0) if i in {0, 3} else r for i, r in enumerate(given)]
    kept = [r for i, r in enumerate(given) if i not in {0, 3}]
    left, right = (statistics(objective, assemble(kind, r)) for r in (masked, kept))
    for own, other in zip(left, right, strict=True):
        assert own.keys() == other.keys()
        for key in own:
            _same(own[key], other[key])


@uncoupled_layouts
def test_weight_two_is_the_same_as_the_record_twice(name: str, kind: DataKind) -> None:
    objective, given = build(name), records(kind, 5, objective=build(name))
    heavy = [with_weight(given[0], 2.0), *given[1:]]
    loss, _ = loss_and_gradients(objective, kind, heavy)
    expected, _ = loss_and_gradients(objective, kind, [given[0], *given])
    assert loss == pytest.approx(expected, **CLOSE)


@every_layout
def test_the_order_of_records_does_not_matter(name: str, kind: DataKind) -> None:
    objective, given = build(name), records(kind, 7, objective=build(name))
    order = [3, 0, 6, 2, 5, 1, 4]
    loss, gradients = loss_and_gradients(objective, kind, given)
    permuted, permuted_gradients = loss_and_gradients(objective, kind, [given[i] for i in order])
    assert permuted == pytest.approx(loss, **CLOSE)
    for place, index in enumerate(order):
        _same(permuted_gradients[place], gradients[index])


@uncoupled_layouts
def test_other_records_do_not_change_a_record(name: str, kind: DataKind) -> None:
    """No padding exists: sequences that are appended leave every other loss as it was, bit for bit."""
    objective, given = build(name), records(kind, 7, objective=build(name))
    state = statistics(objective, assemble(kind, given))
    alone = evaluate(objective, assemble(kind, given[:4]), state).per_example
    joined = evaluate(objective, assemble(kind, given), state).per_example
    assert torch.equal(alone, joined[:4])


@every_layout
def test_metrics_add_up_over_parts(name: str, kind: DataKind) -> None:
    objective, given = build(name), records(kind, 7, objective=build(name))
    state = statistics(objective, assemble(kind, given))
    whole = evaluate(objective, assemble(kind, given), state).metrics
    parts = [evaluate(objective, assemble(kind, part), state).metrics for part in (given[:3], given[3:])]
    for key, value in whole.items():
        assert sum(float(part[key]) for part in parts) == pytest.approx(float(value), rel=1e-9, abs=1e-9)
