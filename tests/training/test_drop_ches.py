"""data.drop_ches leaves out the pairs with the highest CHES under the starting model, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.jobs import job, recipe_values
from truing.diagnostics.pair_scores import ches_of
from truing.errors import RecipeError
from truing.recipe import parse_recipe
from truing.training.prepare import Prepared, prepare


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRUING_CACHE", str(tmp_path / "cache"))
    job(tmp_path)
    return tmp_path


def _prepared(folder: Path, **changes: object) -> Prepared:
    return prepare(parse_recipe(recipe_values(folder, **changes)))


def test_the_highest_are_left_out(folder: Path) -> None:
    everything = _prepared(folder)
    scores, _ = ches_of(everything.policy, everything.train.examples.trees(range(18)))
    lowest = sorted(np.argsort(scores)[:9])
    half = _prepared(folder, data__drop_ches=0.5)
    ids = [str(everything.train.examples.rows["id"][int(i)]) for i in lowest]
    assert [str(i) for i in half.train.examples.rows["id"]] == ids
    assert any("9 of 18 training pairs are left out" in note for note in half.notes)
    assert half.held_out is not None
    assert len(half.held_out.examples) == 5, "held-out pairs stay"


def test_nothing_is_left_out_by_default(folder: Path) -> None:
    found = _prepared(folder)
    assert len(found.train.examples) == 18
    assert not any("left out" in note for note in found.notes)


def test_objectives_without_pairs_are_refused(folder: Path) -> None:
    with pytest.raises(RecipeError, match=r"'kto' does not learn from pairs[\s\S]*pairwise objective"):
        _prepared(folder, data__drop_ches=0.5, objective="kto")


def test_streams_are_refused(folder: Path) -> None:
    with pytest.raises(RecipeError, match=r"which data\.streaming does not give"):
        _prepared(folder, data__drop_ches=0.5, data__streaming=True)
