"""Held-out rows before and after, worked out by hand."""

from __future__ import annotations

import datasets
import numpy as np
import pytest

from tests.policies.models import tiny
from truing.evaluation.findings import findings
from truing.evaluation.held_out import RowScores, against, compare, reference_rows, score_rows
from truing.policies.causal import CausalPolicy
from truing.training.examples import ExampleData

# Two pairs; completions in the order chosen, rejected, chosen, rejected.
DATA = ExampleData(
    datasets.Dataset.from_list(
        [
            {"id": "a", "prompt_ids": [5, 6], "completion_ids": [[7, 8], [9, 10, 11, 12]]},
            {"id": "b", "prompt_ids": [13], "completion_ids": [[14, 15, 16, 17], [18, 19]]},
        ]
    ),
    "pairs",
)
LENGTHS = np.array([2, 4, 4, 2])
BEFORE = RowScores(np.array([-4.0, -8.0, -10.0, -6.0]), LENGTHS)
AFTER = RowScores(np.array([-3.0, -10.0, -8.0, -9.0]), LENGTHS)


def test_metrics_by_hand() -> None:
    found = compare(DATA, BEFORE, AFTER).metrics
    # Chosen, nats a token: (-3 + 4) / 2 = 0.5 and (-8 + 10) / 4 = 0.5.
    assert found["chosen_logp_change"].value == pytest.approx(0.5)
    # Rejected: (-10 + 8) / 4 = -0.5 and (-9 + 6) / 2 = -1.5, on average -1.
    assert found["rejected_logp_change"].value == pytest.approx(-1.0)
    # Before, -4 > -8 but -10 < -6; after, both are right.
    assert found["ranking_accuracy_before"].value == 0.5
    assert found["ranking_accuracy_after"].value == 1.0
    assert found["ranking_accuracy_change"].value == 0.5
    # Log-ratios: chosen +1 and +2, rejected -2 and -3; margins 3 and 5.
    assert found["reward_accuracy"].value == 1.0
    assert found["reward_margin"].value == pytest.approx(4.0)
    assert all(estimate.n == 2 for estimate in found.values())


def test_the_opposite_as_a_control_by_hand() -> None:
    """Gaps: −3 + 5 = 2 and −8 + 9 = 1 for chosen, −10 + 11 = 1 and −9 + 12 = 3 for rejected: right in one of two."""
    opposite = RowScores(np.array([-5.0, -11.0, -9.0, -12.0]), LENGTHS)
    found = against(compare(DATA, BEFORE, AFTER), opposite)
    assert found.metrics["control_gap_chosen"].value == pytest.approx(1.5)
    assert found.metrics["control_gap_rejected"].value == pytest.approx(2.0)
    assert found.metrics["control_accuracy"].value == 0.5
    (finding,) = [f for f in findings(found, None) if f.name == "control"]
    assert finding.verdict == "same"
    assert (
        "turns to the chosen answer more than to the rejected one in 50.0% of held-out pairs" in finding.sentence
    )
    assert not [f for f in findings(compare(DATA, BEFORE, AFTER), None) if f.name == "control"]


def test_rows_by_hand() -> None:
    rows = compare(DATA, BEFORE, AFTER).rows()
    assert rows[1] == {
        "id": "b",
        "chosen_logp_before": -10.0,
        "chosen_logp_after": -8.0,
        "chosen_tokens": 4,
        "rejected_logp_before": -6.0,
        "rejected_logp_after": -9.0,
        "rejected_tokens": 2,
    }


def test_unpaired_records_have_no_pairs() -> None:
    data = ExampleData(
        datasets.Dataset.from_list(
            [{"id": "a", "prompt_ids": [5], "completion_ids": [[7, 8]], "label": True},
             {"id": "b", "prompt_ids": [6], "completion_ids": [[9]], "label": False}]
        ),
        "unpaired",
    )  # fmt: skip
    lengths = np.array([2, 1])
    found = compare(data, RowScores(np.array([-4.0, -1.0]), lengths), RowScores(np.array([-2.0, -3.0]), lengths))
    assert found.metrics["chosen_logp_change"].value == pytest.approx(1.0)
    assert found.metrics["rejected_logp_change"].value == pytest.approx(-2.0)
    assert not any("accuracy" in name or "margin" in name for name in found.metrics)


def test_reference_values_add_up_to_the_same_rows() -> None:
    policy = CausalPolicy(tiny("llama"), precision="float32")
    scored = score_rows(policy, DATA, budget=20)
    with policy.evaluating():
        values = policy.score_all(DATA.trees([0, 1])).token_logps.numpy()
    again = reference_rows(values, LENGTHS.tolist())
    np.testing.assert_allclose(again.logps, scored.logps, atol=1e-5)
    np.testing.assert_array_equal(again.lengths, scored.lengths)
    np.testing.assert_allclose(again.per_token, scored.logps / LENGTHS, atol=1e-5)
