"""TRL's experimental CPO and ORPO trainers: value and gradient of every parameter.

Both take the likelihood term as a mean over all tokens of the batch (``nll("tokens")`` here); the registered
``cpo`` and ``orpo`` average each answer first. ``test_disagreements.py`` shows the difference, and that
there is none for answers of equal length.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from truing.objectives import alphapo, cpo, cpo_simpo, nll, simpo
from truing.objectives import modifiers as modify
from truing.objectives.algebra import (
    Hinge,
    Likelihood,
    Logistic,
    LogOdds,
    Objective,
    Pairwise,
    Squared,
    mean_logp,
    pairwise,
    sum_logp,
)
from truing.policies.packing import Tree

from .compare import (
    Result,
    assert_as_good,
    assert_equal,
    by_trl,
    by_truing,
    collated,
    labelled_trees,
    rows_of,
    score,
)
from .conftest import Models
from .setup import Row, cpo_trainer, orpo_trainer

LOSSES: list[tuple[Objective, dict[str, Any]]] = [
    (cpo(0.1, alpha=0.0), {"cpo_alpha": 0.0}),
    (cpo(0.1, alpha=0.0) + nll("tokens"), {}),
    (cpo(0.3, alpha=0.0) + 0.5 * nll("tokens"), {"beta": 0.3, "cpo_alpha": 0.5}),
    # Label smoothing, which TRL's DPO trainer has for sigmoid no more.
    (modify.smooth(cpo(0.1, alpha=0.0), 0.2), {"cpo_alpha": 0.0, "label_smoothing": 0.2}),
    (
        pairwise(name="hinge", score=sum_logp(), link=Hinge(0.1, 1.0)) + nll("tokens"),
        {"loss_type": "hinge"},
    ),
    (
        pairwise(name="ipo", score=mean_logp(), link=Squared(5.0)) + nll("tokens"),
        {"loss_type": "ipo"},
    ),
    (simpo(2.0, 1.0), {"loss_type": "simpo", "beta": 2.0, "simpo_gamma": 1.0, "cpo_alpha": 0.0}),
    (simpo(2.5, 0.0), {"loss_type": "simpo", "beta": 2.5, "simpo_gamma": 0.0, "cpo_alpha": 0.0}),
    (
        cpo_simpo(2.0, 0.5, alpha=0.0) + 0.5 * nll("tokens"),
        {"loss_type": "simpo", "beta": 2.0, "simpo_gamma": 0.5, "cpo_alpha": 0.5},
    ),
    (alphapo(2.0, 1.0, 0.25), {"loss_type": "alphapo", "beta": 2.0, "simpo_gamma": 1.0, "alpha": 0.25}),
    (alphapo(2.0, 0.5, -0.5), {"loss_type": "alphapo", "beta": 2.0, "simpo_gamma": 0.5, "alpha": -0.5}),
    (alphapo(2.0, 0.5, 0.0), {"loss_type": "alphapo", "beta": 2.0, "simpo_gamma": 0.5}),
]


@pytest.mark.parametrize(("objective", "config"), LOSSES, ids=[str(config) for _, config in LOSSES])
def test_cpo_trainer(
    objective: Objective, config: dict[str, Any], pairs: list[Row], models: Models, tmp_path: Path
) -> None:
    wide = cpo_trainer(tmp_path, models.policy64, pairs, **config)
    narrow = cpo_trainer(tmp_path, models.policy, pairs, **config)
    trees, roles = labelled_trees(list(rows_of(wide)))
    truth = by_trl(wide, collated(wide))
    assert_equal(by_truing(objective, models.policy64, models.reference64, trees, roles), truth)
    own = by_truing(objective, models.engine, models.reference_engine, trees, roles)
    assert_as_good(own, by_trl(narrow, collated(narrow)), truth)


@pytest.mark.parametrize("ratio_weight", [0.1, 1.0])
def test_orpo_trainer(ratio_weight: float, pairs: list[Row], models: Models, tmp_path: Path) -> None:
    """TRL's likelihood runs over the prompt too, so it is scored here on trees whose prompt is the first token."""
    wide = orpo_trainer(tmp_path, models.policy64, pairs, beta=ratio_weight)
    trees, roles = labelled_trees(list(rows_of(wide)))
    whole = [Tree(tree.prompt[:1], [[*tree.prompt[1:], *branch] for branch in tree.branches]) for tree in trees]
    models.policy64.zero_grad()
    odds = Objective("odds", ((ratio_weight, Pairwise(LogOdds(), Logistic())),), reward=LogOdds())
    likelihood = Objective("likelihood", ((1.0, Likelihood("tokens")),), reward=sum_logp())
    loss = odds(score(models.policy64, trees), roles).loss + likelihood(score(models.policy64, whole), roles).loss
    loss.backward()
    gradient = {name: p.grad.clone() for name, p in models.policy64.named_parameters() if p.grad is not None}
    # TRL takes the odds in float32 whatever the model's precision.
    assert_equal(Result(float(loss.detach()), gradient), by_trl(wide, collated(wide)), 1e-5)
    assert loss.dtype == torch.float64
