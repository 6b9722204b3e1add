"""Tables of drawn answers against each other, from the reward to the loss."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from tests.jobs import truing
from tests.training.online.test_choosing import rollout
from tests.training.online.test_runs import metrics, recipe, rollouts
from truing.training.online.choosing import chosen_data

TABLE = [[[0.0, 1.0, None], [-1.0, 0.0, None], [None, None, 0.0]]]


def test_rows_of_known_answers_reach_the_batch() -> None:
    drawn = rollout([[0.5, -0.5, None], [1.0, 0.0, -1.0]], versus=[*TABLE, [[0.0, 2, 3], [-2, 0, 4], [-3, -4, 0]]])
    data = chosen_data(drawn, "samples")
    versus = data.batch(data.examples([0, 1])).versus
    assert versus is not None
    nan = math.nan
    expected = [[0, 1, nan], [-1, 0, nan], [0, 2, 3], [-2, 0, 4], [-3, -4, 0]]
    assert torch.equal(versus.nan_to_num(9), torch.tensor(expected).nan_to_num(9))


def test_pairs_have_no_table() -> None:
    (pair,) = chosen_data(rollout([[0.5, -0.5, None]], versus=TABLE), "pairs").take([0])
    assert "versus" not in pair


def test_the_gap_by_hand() -> None:
    """The best of the first prompt wins σ(1) of its only meeting."""
    sums = rollout([[0.5, -0.5, None]], versus=TABLE).metrics()
    assert sums["online/gap"] / sums["count/online/gap"] == pytest.approx(1 / (1 + math.exp(-1)) - 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("objective", [{"name": "gpo", "beta": 0.5}, "nash-md", {"name": "inpo", "eta": 0.1}])
def test_games_run_on_comparisons(objective: object, tmp_path: Path) -> None:
    rewards = {"name": "against-group", "scorer": "sentiment"}
    path = recipe(tmp_path, objective, training__max_steps=3, online__rewards=rewards)
    ended = truing(["align", path], tmp_path / "p")
    assert ended.code == 0, ended.err
    first = rollouts(tmp_path / "out")[0]
    table = torch.tensor(first.versus[0], dtype=torch.float64)
    assert torch.allclose(table, -table.T)
    assert first.rewards[0] == pytest.approx(table.mean(1).tolist())
    assert all(row["online/gap"] >= 0 for row in metrics(tmp_path / "out") if "online/gap" in row)
