"""Losses and gradients stay finite, whatever a policy does."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from truing.objectives import METHODS
from truing.objectives.algebra import DataKind, Objective

from .cases import NAMES, SATURATING, build, every_layout
from .worlds import Answer, Record, assemble, changed, evaluate, records


def _extreme(kind: DataKind, objective: Objective | None = None) -> list[Record]:
    """Log-ratios of ±1000 nats in every combination of chosen and rejected."""
    signs = [(1, 1), (1, -1), (-1, 1), (-1, -1), (1, 0), (0, -1)]

    def push(one: Answer, sign: int) -> Answer:
        length = len(one.policy)
        nothing, deep = torch.full((length,), -1e-9), torch.full((length,), -1000.0 / length)
        pair = {1: (nothing, deep), -1: (deep, nothing), 0: (nothing, nothing)}[sign]
        return Answer(pair[0].double(), pair[1].double(), one.collision)

    return [
        replace(
            record,
            answers=tuple(push(one, pattern[place % 2]) for place, one in enumerate(record.answers)),
            mismatched=push(record.mismatched, pattern[0]),
            parts={
                name: (of, tuple(push(one, pattern[place % 2]) for place, one in enumerate(part)))
                for name, (of, part) in record.parts.items()
            },
            reward=1e3 * record.reward,
        )
        for record, pattern in zip(records(kind, len(signs), objective=objective), signs, strict=True)
    ]


def _tiny(kind: DataKind, objective: Objective) -> list[Record]:
    """Near-certain one-token answers that policy and reference agree on to the last digit."""
    return changed(
        records(kind, 2, length=1, objective=objective),
        lambda one: Answer(one.policy * 0 - 1e-8, one.reference * 0 - 1.1e-8, one.collision * 0),
    )


BATCHES = {
    "random": lambda kind, objective: records(kind, 8, objective=objective),
    "one record": lambda kind, objective: records(kind, 1, objective=objective),
    "extreme": _extreme,
    "tiny": _tiny,
    "liked only": lambda kind, objective: [
        replace(record, liked=True) for record in records(kind, 4, objective=objective)
    ],
    "disliked only": lambda kind, objective: [
        replace(record, liked=False) for record in records(kind, 4, objective=objective)
    ],
    "nothing counts": lambda kind, objective: [
        replace(record, weight=0.0) for record in records(kind, 3, objective=objective)
    ],
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("batch", BATCHES)
@every_layout
def test_loss_and_gradient_are_finite(name: str, kind: DataKind, batch: str, dtype: torch.dtype) -> None:
    # The defaults, on purpose: they are what users run.
    objective = METHODS.get(name).configure({})
    world = assemble(kind, BATCHES[batch](kind, objective), dtype)
    out = evaluate(objective, world)
    (gradient,) = torch.autograd.grad(out.loss, world.policy)
    assert torch.isfinite(out.loss)
    assert torch.isfinite(gradient).all()
    assert torch.isfinite(out.per_example).all()
    assert all(torch.isfinite(value) for value in out.metrics.values())
    if batch == "nothing counts":
        assert float(out.loss.detach()) == 0.0
        assert not gradient.any()
    if batch == "random":
        assert gradient.any()


@pytest.mark.parametrize("name", [n for n in NAMES if "pairs" in build(n).data and n not in SATURATING])
def test_a_pair_that_is_wrong_by_2000_nats_still_learns(name: str) -> None:
    objective = METHODS.get(name).configure({})
    world = assemble("pairs", _extreme("pairs", objective)[2:3])
    (gradient,) = torch.autograd.grad(evaluate(objective, world).loss, world.policy)
    assert float(gradient.abs().max()) > 0.01
