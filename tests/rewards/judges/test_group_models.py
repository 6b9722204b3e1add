"""Reward models as judges of answers against each other."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.jobs import model_folder, pairs
from truing.policies.loading import load_tokenizer
from truing.policies.reward_loading import load_reward_model
from truing.policies.values import set_padding
from truing.rewards.judges.group import ModelTables, against_group
from truing.rewards.models.form import RewardForm
from truing.rewards.models.model import RewardModel


@pytest.mark.parametrize(("kind", "width"), [("scalar", 1), ("skew", 4)])
def test_a_reward_model_compares_answers(kind: str, width: int, tmp_path: Path) -> None:
    """Log-odds of every two answers are those of the pair alone, and nothing is known of an empty answer."""
    start = model_folder(tmp_path / "language")
    tokenizer = load_tokenizer(str(start))
    model = load_reward_model(str(start), width, seed=3)
    set_padding(model, tokenizer)
    folder = tmp_path / "reward"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    RewardForm(kind, 2.0, unit=kind == "skew").save(folder)  # type: ignore[arg-type]
    prompt = pairs(1, seed=2)[0]["prompt"]
    answers = [row["chosen"] for row in pairs(3, seed=2)]
    compare = ModelTables(RewardModel.load(str(folder)), 256)
    table = compare(prompt, [*answers, ""])
    assert table[3].isnan().all()
    assert table[:, 3].isnan().all()
    assert torch.allclose(table[:3, :3], -table[:3, :3].T)
    for i, j in ((0, 1), (1, 2), (0, 2)):
        alone = compare(prompt, [answers[i], answers[j]])
        assert float(alone[0, 1]) == pytest.approx(float(table[i, j]), abs=1e-5)
        assert abs(float(table[i, j])) > 1e-4
    found = against_group(model=str(folder))([prompt] * 4, [*answers, ""])
    assert found.valid[:, 0].tolist() == [True, True, True, False]
    assert torch.allclose(found.values[:3, 0], table[:3, :3].mean(1), atol=1e-5)
