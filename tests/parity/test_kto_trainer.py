"""Every loss of TRL's KTOTrainer: value and gradient of every parameter, on random and on real answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from truing.objectives import apo_zero_unpaired, kto
from truing.objectives.algebra import Objective

from .compare import assert_as_good, assert_equal, by_trl, by_truing, collated, rows_of, unpaired_trees
from .conftest import Models
from .setup import Row, kto_trainer, unpaired

LOSSES: list[tuple[Objective, dict[str, Any]]] = [
    (kto(0.1), {}),
    (kto(0.5), {"beta": 0.5}),
    (kto(0.1, desirable=1.3, undesirable=0.7), {"desirable_weight": 1.3, "undesirable_weight": 0.7}),
    (apo_zero_unpaired(0.1), {"loss_type": "apo_zero_unpaired"}),
]


@pytest.mark.parametrize(("objective", "config"), LOSSES, ids=[str(config) for _, config in LOSSES])
@pytest.mark.parametrize("shift", [0.0, 1.0], ids=["negative kl", "positive kl"])
def test_loss_and_gradient_equal_those_of_trl(
    objective: Objective, config: dict[str, Any], shift: float, pairs: list[Row], models: Models, tmp_path: Path
) -> None:
    """With and without an active KL baseline: exchanging policy and reference turns its sign."""
    sides = (models.policy, models.reference, models.engine, models.reference_engine)
    wide = (models.policy64, models.reference64)
    if shift:
        sides = (models.reference, models.policy, models.reference_engine, models.engine)
        wide = (models.reference64, models.policy64)
    policy, reference, engine, reference_engine = sides
    rows = unpaired(pairs)
    narrow = kto_trainer(tmp_path, policy, reference, rows, **config)
    exact = kto_trainer(tmp_path, *wide, rows, **config)
    tokens = list(rows_of(exact))
    trees, roles = unpaired_trees(tokens)
    # TRL's own mismatched completions, so that both see the same baseline.
    others = unpaired_trees(tokens, "KL_completion_ids")[0] if "KL_completion_ids" in tokens[0] else []
    truth = by_trl(exact, collated(exact))
    assert_equal(by_truing(objective, *wide, trees, roles, others), truth)
    own = by_truing(objective, engine, reference_engine, trees, roles, others)
    assert_as_good(own, by_trl(narrow, collated(narrow)), truth)


@pytest.mark.parametrize("liked", [True, False])
def test_a_batch_of_one_class_equals_trl(liked: bool, pairs: list[Row], models: Models, tmp_path: Path) -> None:
    rows = [{**row, "label": liked} for row in unpaired(pairs)]
    exact = kto_trainer(tmp_path, models.policy64, models.reference64, rows)
    tokens = list(rows_of(exact))
    trees, roles = unpaired_trees(tokens)
    others, _ = unpaired_trees(tokens, "KL_completion_ids")
    own = by_truing(kto(0.1), models.policy64, models.reference64, trees, roles, others)
    assert_equal(own, by_trl(exact, collated(exact)))


def test_the_baseline_is_active_in_one_direction(pairs: list[Row], models: Models, tmp_path: Path) -> None:
    """The two parametrisations above are not the same test: the baseline is 0 in one and positive in the other."""
    rows = unpaired(pairs)
    baselines = []
    for policy, reference in (
        (models.policy64, models.reference64),
        (models.reference64, models.policy64),
    ):
        trainer = kto_trainer(tmp_path, policy, reference, rows)
        by_trl(trainer, collated(trainer))
        baselines.append(trainer._metrics["eval"]["kl"][-1])
    assert min(baselines) == 0.0
    assert max(baselines) > 0.1
