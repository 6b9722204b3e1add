"""From arena.yaml to cells: what is equal, what may differ, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.arenas.setups import arena_job, arena_values
from truing.arenas.cells import cells, label_of
from truing.arenas.load import parse_arena
from truing.arenas.plan import plan
from truing.errors import TruingError

FLIPS = {"label": "flips", "perturb": [{"flip_labels": {"rate": 0.5}}]}


def made(**changes: Any) -> list[Any]:
    return cells(parse_arena(arena_values(Path("here"), **changes)))


def test_objectives_times_settings_times_seeds() -> None:
    found = made(
        objectives=["dpo", "sft"], grid={"seeds": [0, 7], "beta": [0.05, 0.5]}, tracks=[{"label": "clean"}, FLIPS]
    )
    # dpo has a beta, sft has none: (2 + 1) settings, 2 seeds, 2 tracks.
    assert len(found) == 12
    assert [c.method for c in found[:6:2]] == ["dpo, beta=0.05", "dpo, beta=0.5", "sft"]
    assert [c.recipe.objective for c in found[:3]] == [{"name": "dpo", "beta": 0.05}] * 2 + [
        {"name": "dpo", "beta": 0.5}
    ]
    assert len({c.name for c in found}) == 12
    assert {c.recipe.output for c in found} == {f"here/out/cells/{c.name}" for c in found}


def test_seeds_change_the_order_of_data_and_nothing_that_is_measured() -> None:
    first, second = made(objectives=["dpo"], grid={"seeds": [0, 7]}, base__training__seed=3)
    assert [first.recipe.training.seed, second.recipe.training.seed] == [0, 7]
    assert [first.recipe.data.eval_seed, second.recipe.data.eval_seed] == [3, 3]
    same = {"training": None, "output": ""}
    assert first.recipe.model_copy(update=same) == second.recipe.model_copy(update=same)


def test_an_entry_has_its_own_training_keys_and_the_grid_its_settings() -> None:
    found = made(grid={"settings": {"training.learning_rate": [1e-4, 1e-5]}})
    assert [c.recipe.training.learning_rate for c in found] == [1e-4, 1e-5] * 3
    rates = [c.recipe.training.learning_rate for c in made()]
    assert rates == [1e-2, 1e-2, 1e-3]
    assert [c.recipe.training.max_steps for c in made()] == [3, 3, 3]


def test_sums_modifiers_and_labels() -> None:
    total = [{"name": "dpo", "beta": 0.2}, {"name": "nll", "weight": 0.4}]
    assert label_of(total) == "dpo beta=0.2 + 0.4 nll"
    assert label_of({"name": "dpo", "modify": ["wpo", {"ld": {"alpha": 0.3}}]}) == "dpo +wpo +ld"
    assert [c.method for c in made(objectives=[total, {"objective": "dpo", "label": "plain"}])] == [
        "dpo beta=0.2 + 0.4 nll",
        "plain",
    ]


def test_folder_names_are_safe_and_differ() -> None:
    found = made(
        objectives=[{"objective": "dpo", "label": "../../a b"}, {"objective": "ipo", "label": "../../a/b"}]
    )
    assert [c.name for c in found] == ["clean__a-b__seed-0", "clean__a-b__seed-0__2"]


def test_budgets_are_equal_whatever_the_data_are_read_as(tmp_path: Path) -> None:
    """18 pairs are 36 single answers: batches of 4 pairs are batches of 8 answers; half the data, the same steps."""
    arena_job(tmp_path)
    values = arena_values(
        tmp_path,
        objectives=["dpo", "kto", "sft", {"objective": "ipo", "training": {"max_steps": 9}}],
        tracks=[
            {"label": "clean"},
            {"label": "few", "perturb": [{"drop_liked": {"share": 0.5}}], "objectives": ["kto"]},
        ],
        base__training__max_steps=None,
        base__training__epochs=2,
    )
    found = plan(parse_arena(values))
    # Two epochs of ceil(18 / 4) = 5 steps.
    assert [(w.kind, w.steps, w.batch) for w in found.work] == [
        ("pairs", 10, 4),
        ("unpaired", 10, 8),
        ("pairs", 10, 4),
        ("pairs", 9, 4),
        ("unpaired", 10, 8),
    ]
    assert [c.own_budget for c in found.cells] == [False, False, False, True, False]
    assert [w.records for w in found.work] == [18, 36, 18, 18, 27]
    # dpo and ipo need the same reference values; kto's are of single answers; sft needs none.
    keys = [w.reference_key for w in found.work]
    assert keys[0] == keys[3]
    assert len({keys[0], keys[1], keys[4]}) == 3
    assert keys[2] is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objectives": []}, "objectives must be .*at least 1 item"),
        ({"objectives": ["dpo", "dpo"]}, "two objectives have the label 'dpo': numbers 1 and 2"),
        ({"objectives": ["dppo"]}, "unknown objective 'dppo'"),
        ({"objectives": [{"name": "dpo", "beta": -1}]}, "beta"),
        ({"objectives": [{"objective": "dpo", "model": "x"}]}, "unknown key 'objectives.0..model'"),
        ({"objectives": [{"objective": "dpo", "training": {"lr": 1}}]}, "unknown key 'objectives.0..training.lr'"),
        ({"base__objective": "dpo"}, "the base of an arena has no 'objective'"),
        ({"base__output": "x"}, "the base of an arena has no 'output'"),
        ({"base__training__lr": 1e-3}, "unknown key 'base.training.lr'"),
        ({"base__data__eval_path": None, "base__data__eval_fraction": 0}, "needs held-out records"),
        ({"base__data__streaming": True}, "cannot be streamed"),
        ({"objetives": ["dpo"]}, "unknown key 'objetives'"),
        ({"grid": {"seeds": []}}, "grid.seeds"),
        ({"grid": {"settings": {"data.max_length": [1]}}}, "'data.max_length' cannot vary within an arena"),
        ({"grid": {"settings": {"training.learning_rate": [5]}}}, "learning_rate must be less than or equal to 1"),
        ({"grid": {"beta": [-1.0]}}, "beta"),
        ({"tracks": [{"label": "a"}, {"label": "a"}]}, "two tracks have the label 'a'"),
        ({"tracks": [{"label": "a", "objectives": ["ipoo"]}]}, "names an objective 'ipoo' that is not there"),
        ({"tracks": [{"label": "a", "perturb": [{"flip": {}}]}]}, "unknown perturbation 'flip'"),
    ],
)
def test_mistakes(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(TruingError, match=said):
        made(**changes)


def test_a_track_that_an_objective_cannot_read_is_refused_before_anything_runs(tmp_path: Path) -> None:
    arena_job(tmp_path)
    tracks = [{"label": "few", "perturb": [{"drop_liked": {"share": 0.5}}]}]
    with pytest.raises(
        TruingError, match="track 'few', objective 'dpo': the objective cannot learn from unpaired"
    ):
        plan(parse_arena(arena_values(tmp_path, tracks=tracks)))
