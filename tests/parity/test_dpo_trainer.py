"""Every loss of TRL's DPOTrainer: value and gradient of every parameter, on random and on real pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from truing.objectives import (
    aot,
    aot_unpaired,
    apo_down,
    apo_zero,
    bco_pair,
    discopop,
    dpo,
    dpo_norm,
    exo,
    f_dpo,
    hinge,
    ipo,
    ld_dpo,
    nca,
    nll,
    rdpo,
    sft,
    sppo_hard,
    wpo,
)
from truing.objectives import modifiers as modify
from truing.objectives.algebra import Objective

from .compare import (
    TOLERANCE,
    Result,
    assert_as_good,
    assert_equal,
    by_trl,
    by_truing,
    collated,
    pair_trees,
    rows_of,
)
from .conftest import Models
from .setup import Row, dpo_trainer

LOSSES: list[tuple[Objective, dict[str, Any]]] = [
    (dpo(0.3), {"loss_type": "sigmoid", "beta": 0.3}),
    (hinge(0.2), {"loss_type": "hinge", "beta": 0.2}),
    (ipo(0.2), {"loss_type": "ipo", "beta": 0.2}),
    (exo(0.1, 1e-3), {"loss_type": "exo_pair", "label_smoothing": 1e-3}),
    (exo(0.1, 0.3), {"loss_type": "exo_pair", "label_smoothing": 0.3}),
    (nca(0.1), {"loss_type": "nca_pair"}),
    (dpo(0.1), {"loss_type": "robust", "label_smoothing": 0.0}),
    (rdpo(0.1, 0.2), {"loss_type": "robust", "label_smoothing": 0.2}),
    (bco_pair(0.1), {"loss_type": "bco_pair"}),
    (sppo_hard(0.1), {"loss_type": "sppo_hard"}),
    (sppo_hard(0.001), {"loss_type": "sppo_hard", "beta": 0.001}),
    (aot(0.1), {"loss_type": "aot"}),
    (aot(0.1, 0.2), {"loss_type": "aot", "label_smoothing": 0.2}),
    (aot_unpaired(0.1), {"loss_type": "aot_unpaired"}),
    (aot_unpaired(0.1, 0.2), {"loss_type": "aot_unpaired", "label_smoothing": 0.2}),
    (apo_zero(0.1), {"loss_type": "apo_zero"}),
    (apo_down(0.1), {"loss_type": "apo_down"}),
    (discopop(0.05, 0.05), {"loss_type": "discopop", "beta": 0.05}),
    (discopop(0.1, 0.5), {"loss_type": "discopop", "discopop_tau": 0.5}),
    (sft(), {"loss_type": "sft"}),
    (dpo_norm(5.0), {"loss_type": "sigmoid_norm", "beta": 5.0}),
]

FORWARD, JENSEN = {"f_divergence_type": "forward_kl"}, {"f_divergence_type": "js_divergence"}


def _alpha(order: float) -> dict[str, Any]:
    return {"f_divergence_type": "alpha_divergence", "f_alpha_divergence_coef": order}


DIVERGENCES: list[tuple[Objective, dict[str, Any]]] = [
    (f_dpo(0.1, "reverse-kl"), {"f_divergence_type": "reverse_kl"}),
    (f_dpo(0.1, "forward-kl"), FORWARD),
    (f_dpo(0.1, "jensen-shannon"), JENSEN),
    (f_dpo(0.1, "alpha", 0.5), _alpha(0.5)),
    (f_dpo(0.1, "alpha", 0.9), _alpha(0.9)),
    (modify.divergence(hinge(0.1), "forward-kl"), {"loss_type": "hinge", **FORWARD}),
    (modify.divergence(ipo(0.1), "jensen-shannon"), {"loss_type": "ipo", **JENSEN}),
    (modify.divergence(ipo(0.1), "alpha", 0.3), {"loss_type": "ipo", **_alpha(0.3)}),
    (modify.divergence(exo(0.1), "forward-kl"), {"loss_type": "exo_pair", "label_smoothing": 1e-3, **FORWARD}),
    (modify.divergence(rdpo(0.1), "jensen-shannon"), {"loss_type": "robust", "label_smoothing": 0.1, **JENSEN}),
    (modify.divergence(discopop(0.05), "alpha", 0.7), {"loss_type": "discopop", "beta": 0.05, **_alpha(0.7)}),
    (modify.divergence(dpo_norm(5.0), "forward-kl"), {"loss_type": "sigmoid_norm", "beta": 5.0, **FORWARD}),
    (
        modify.divergence(dpo(0.1), "forward-kl") + 0.5 * sft(),
        {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.5], **FORWARD},
    ),
]

LD: list[tuple[Objective, dict[str, Any]]] = [
    (ld_dpo(0.1, 0.3), {"ld_alpha": 0.3}),
    (ld_dpo(0.1, 0.0), {"ld_alpha": 0.0}),
    (dpo(0.1), {"ld_alpha": 1.0}),
    (modify.ld(ipo(0.1), 0.5), {"loss_type": "ipo", "ld_alpha": 0.5}),
    (modify.ld(dpo_norm(5.0), 0.5), {"loss_type": "sigmoid_norm", "beta": 5.0, "ld_alpha": 0.5}),
    (modify.ld(nca(0.1), 0.5), {"loss_type": "nca_pair", "ld_alpha": 0.5}),
    (modify.ld(apo_down(0.1), 0.5), {"loss_type": "apo_down", "ld_alpha": 0.5}),
    (modify.ld(aot(0.1), 0.5), {"loss_type": "aot", "ld_alpha": 0.5}),
    (modify.ld(aot_unpaired(0.1), 0.5), {"loss_type": "aot_unpaired", "ld_alpha": 0.5}),
    (modify.ld(f_dpo(0.1, "forward-kl"), 0.4), {"ld_alpha": 0.4, **FORWARD}),
    (modify.ld(dpo(0.1) + sft(), 0.5), {"loss_type": ["sigmoid", "sft"], "ld_alpha": 0.5}),
]

WPO: list[tuple[Objective, dict[str, Any]]] = [
    (wpo(0.1), {}),
    (modify.wpo(ipo(0.1)), {"loss_type": "ipo"}),
    (modify.wpo(rdpo(0.1, 0.2)), {"loss_type": "robust", "label_smoothing": 0.2}),
    (modify.wpo(nca(0.1)), {"loss_type": "nca_pair"}),
    (modify.wpo(bco_pair(0.1)), {"loss_type": "bco_pair"}),
    (modify.wpo(sppo_hard(0.1)), {"loss_type": "sppo_hard"}),
    (modify.wpo(apo_zero(0.1)), {"loss_type": "apo_zero"}),
    (modify.wpo(apo_down(0.1)), {"loss_type": "apo_down"}),
    (modify.ld(modify.wpo(dpo(0.1)), 0.5), {"ld_alpha": 0.5}),
]

MIXTURES: list[tuple[Objective, dict[str, Any]]] = [
    (dpo(0.1) + 0.005 * nll("tokens"), {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.005]}),
    # MPO (2411.10442): preference, quality and generation.
    (
        0.8 * dpo(0.1) + 0.2 * bco_pair(0.1) + 1.0 * sft(),
        {"loss_type": ["sigmoid", "bco_pair", "sft"], "loss_weights": [0.8, 0.2, 1.0]},
    ),
    (0.5 * aot(0.1) + 2.0 * apo_zero(0.1), {"loss_type": ["aot", "apo_zero"], "loss_weights": [0.5, 2.0]}),
]


def _ids(cases: list[tuple[Objective, dict[str, Any]]]) -> list[str]:
    return [" ".join(f"{key}={value}" for key, value in config.items()) or "default" for _, config in cases]


CASES = [*LOSSES, *DIVERGENCES, *LD, *MIXTURES]


@pytest.mark.parametrize(("objective", "config"), CASES, ids=_ids(CASES))
def test_loss_and_gradient_equal_those_of_trl(
    objective: Objective, config: dict[str, Any], pairs: list[Row], models: Models, tmp_path: Path
) -> None:
    _compare(objective, config, pairs, models, tmp_path)


@pytest.mark.parametrize(("objective", "config"), WPO, ids=_ids(WPO))
def test_on_policy_weights_equal_those_of_trl(
    objective: Objective, config: dict[str, Any], pairs: list[Row], models: Models, tmp_path: Path
) -> None:
    """All weights are below 1 here, so that the clamp, on which the two differ, does nothing."""
    truth = _compare(objective, {**config, "use_weighting": True}, pairs, models, tmp_path)
    plain = dpo_trainer(tmp_path, models.policy64, models.reference64, pairs, **config)
    assert by_trl(plain, collated(plain)).loss > 1.001 * truth.loss


def _compare(
    objective: Objective, config: dict[str, Any], rows: list[Row], models: Models, folder: Path
) -> Result:
    narrow = dpo_trainer(folder, models.policy, models.reference, rows, **config)
    trees, roles = pair_trees(list(rows_of(narrow)))
    own = by_truing(objective, models.engine, models.reference_engine, trees, roles)
    exact = by_truing(objective, models.policy64, models.reference64, trees, roles)
    peer = by_trl(narrow, collated(narrow))
    if config.get("f_divergence_type") == "alpha_divergence":
        # TRL knows no float64 here, so the truth has to be our own.
        assert_equal(peer, exact, 10 * TOLERANCE)
        truth = exact
    else:
        wide = dpo_trainer(folder, models.policy64, models.reference64, rows, **config)
        truth = by_trl(wide, collated(wide))
        assert_equal(exact, truth)
    assert_as_good(own, peer, truth)
    return truth
