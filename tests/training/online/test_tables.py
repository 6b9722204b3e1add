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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("objective", "online"),
    [
        ("{name: mnpo, eta: 0.05}", "answers: 3, opponents: {history: [1.0, 0.5], start: 0.5}"),
        ("{name: gpo, beta: 0.5}", "answers: 3"),
        ("{name: curated, real: 0.5}", "answers: 3"),
    ],
    ids=["mnpo", "gpo", "curated"],
)
def test_the_packaged_model_on_real_prompts(objective: str, online: str, tmp_path: Path) -> None:
    (tmp_path / "game.yaml").write_text(
        f"""
model: truing/tiny
data: {{path: truing/hh-sample, limit: 24, eval_fraction: 0.1, max_length: 96}}
objective: {objective}
online: {{rewards: {{name: against-group, scorer: sentiment}}, max_new_tokens: 8, {online}}}
training: {{max_steps: 2, learning_rate: 1.0e-4, global_batch: 4}}
evaluation: {{samples: 1, judged_prompts: 0, max_new_tokens: 4}}
output: {tmp_path / "out"}
"""
    )
    ended = truing(["align", tmp_path / "game.yaml"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert [r.step for r in rollouts(tmp_path / "out")] == [0, 1]
    assert ("opponents" in rollouts(tmp_path / "out")[1].tokens) == ("mnpo" in objective)
