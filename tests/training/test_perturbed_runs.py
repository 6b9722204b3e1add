"""A recipe's perturbations change what is trained on, and never what is held out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs import job, recipe_values
from truing.errors import RecipeError
from truing.recipe import parse_recipe
from truing.training.splits import load_splits


def test_held_out_records_stay_clean_and_follow_their_own_seed(tmp_path: Path) -> None:
    job(tmp_path)
    values = recipe_values(tmp_path, data__eval_path=None, data__eval_fraction=0.4)
    clean, held = load_splits(parse_recipe(values))
    damaged, same = load_splits(parse_recipe(values, ["data.perturb=[{flip_labels: {rate: 1.0}}]"]))
    assert held is not None
    assert same is not None
    assert [dict(row) for row in same] == [dict(row) for row in held]
    assert [row["chosen"] for row in damaged] == [row["rejected"] for row in clean]
    # Another training seed holds out other prompts, unless the split has a seed of its own.
    _, other = load_splits(parse_recipe(values, ["training.seed=1"]))
    _, kept = load_splits(parse_recipe(values, ["training.seed=1", "data.eval_seed=0"]))
    assert other is not None
    assert kept is not None
    assert [row["id"] for row in other] != [row["id"] for row in held]
    assert [row["id"] for row in kept] == [row["id"] for row in held]


def test_a_wrong_perturbation_is_refused_before_data_is_read(tmp_path: Path) -> None:
    values = recipe_values(tmp_path, data__perturb=[{"flip_labels": {"rat": 0.1}}])
    with pytest.raises(RecipeError, match="perturb"):
        load_splits(parse_recipe(values))
