"""What the numbers of a head mean."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from truing.errors import ModelError
from truing.objectives import METHODS
from truing.rewards.models.form import FILE, RewardForm, check_width


def test_a_reward_is_its_own_log_odds() -> None:
    values = torch.tensor([[1.0], [4.0]], dtype=torch.float64)
    form = RewardForm()
    assert float(form.log_odds(values[0], values[1])) == -3.0
    assert form.rewards(values).tolist() == [1.0, 4.0]
    assert form.table(values).tolist() == [[0.0, -3.0], [3.0, 0.0]]


def test_a_cycle_by_hand() -> None:
    """Three embeddings at 120 degrees: each beats the next by sin 120° and loses to the one before."""
    angles = torch.tensor([0.0, 2.0, 4.0], dtype=torch.float64) * torch.pi / 3
    values = torch.stack([angles.cos(), angles.sin()], -1)
    table = RewardForm("skew", scale=10.0, unit=True).table(5 * values)
    s = 10 * 3**0.5 / 2
    torch.testing.assert_close(table, torch.tensor([[0, s, -s], [-s, 0, s], [s, -s, 0]], dtype=torch.float64))
    assert RewardForm("skew", 10.0, unit=True).rewards(values).abs().max() < 1e-12


@pytest.mark.parametrize(("name", "kind", "scale"), [("bradley-terry", "scalar", 1.0), ("gpm", "skew", 10.0)])
def test_the_form_of_an_objective_survives_the_disk(name: str, kind: str, scale: float, tmp_path: Path) -> None:
    form = RewardForm.of(METHODS.get(name)())
    assert (form.kind, form.scale, form.objective) == (kind, pytest.approx(scale), name)
    form.save(tmp_path)
    assert RewardForm.load(tmp_path) == form


@pytest.mark.parametrize(
    ("name", "odds"), [("bradley-terry", True), ("gpm", True), ("dpa-ratings", False), ("optdist", False)]
)
def test_only_comparisons_say_odds(name: str, odds: bool) -> None:
    assert RewardForm.of(METHODS.get(name)()).says_odds is odds


def test_policies_have_no_form() -> None:
    with pytest.raises(ModelError, match="objective 'dpo' trains no reward model"):
        RewardForm.of(METHODS.get("dpo")())


def test_a_model_without_a_file_gives_one_reward(tmp_path: Path) -> None:
    assert RewardForm.load(tmp_path) == RewardForm()
    (tmp_path / FILE).write_text('{"kind": "skew", "size": 3}')
    with pytest.raises(ModelError, match="not what Truing writes"):
        RewardForm.load(tmp_path)


def test_widths_that_do_not_fit() -> None:
    with pytest.raises(ModelError, match="gives 4 numbers, and nothing says which of them is the reward"):
        check_width(RewardForm(), 4, "there")
    with pytest.raises(ModelError, match="even number of outputs, not 3"):
        check_width(RewardForm("skew"), 3, "there")
