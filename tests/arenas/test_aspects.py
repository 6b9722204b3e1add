"""Recipes that differ in one aspect each: what they are, what they come to, and what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from truing.arenas.aspects import _outcome, read_aspects
from truing.arenas.effects import Outcome, effects
from truing.cli.app import app
from truing.errors import DataError, RecipeError

EXAMPLE = Path(__file__).parents[2] / "examples" / "aspects.yaml"


def written(folder: Path, **changes: object) -> Path:
    values = {**yaml.safe_load(EXAMPLE.read_text()), **changes}
    path = folder / "aspects.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_effects_by_hand() -> None:
    """Means over seeds: 0.5, 0.6 and 0.45; errors of a difference of two means of two: √(4·0.1²)/2 = 0.1."""
    found = effects(
        {
            "data": {
                "base": [Outcome(0.4, 0.1), Outcome(0.6, 0.1)],
                "better": [Outcome(0.5, 0.1), Outcome(0.7, 0.1)],
            },
            "prompts": {"base": [Outcome(0.4), Outcome(0.6)], "few": [Outcome(0.35), Outcome(0.55)]},
        }
    )
    assert [(e.aspect, e.option, e.against) for e in found] == [
        ("data", "better", "base"),
        ("prompts", "few", "base"),
    ]
    assert [e.change for e in found] == pytest.approx([0.1, -0.05])
    assert (found[0].low, found[0].high) == pytest.approx((0.1 - 0.196, 0.1 + 0.196))
    assert not found[0].told_apart
    assert not found[1].told_apart, "an interval that is not known tells nothing apart"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"data": {"one": [Outcome(0.0)]}}, "one option compares nothing"),
        ({"data": {"one": [Outcome(0.0)], "two": []}}, "'two' has 0 outcomes and 'one' has 1"),
    ],
)
def test_tables_that_say_nothing(table: dict[str, dict[str, list[Outcome]]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        effects(table)


def test_cells_of_the_example() -> None:
    """Base, flipped, online, and two variants of online; what online shares is one cell."""
    plan = read_aspects(EXAMPLE)
    assert list(plan.cells) == [
        "base-seed=0",
        "data=flipped-seed=0",
        "algorithm=online-seed=0",
        "algorithm=online-reward=cheerful-seed=0",
        "algorithm=online-prompts=few-seed=0",
    ]
    assert plan.places["reward"]["harmless"] == plan.places["algorithm"]["online"]
    recipes = {name: cell.recipe for name, cell in plan.cells.items()}
    assert recipes["base-seed=0"].online is None
    assert recipes["data=flipped-seed=0"].data.perturb
    cheerful = recipes["algorithm=online-reward=cheerful-seed=0"]
    assert cheerful.online is not None
    assert (cheerful.online.rewards, cheerful.online.answers) == (["sentiment"], 4)
    assert recipes["algorithm=online-prompts=few-seed=0"].data.limit == 200
    assert len({recipe.output for recipe in recipes.values()}) == 5


def test_every_seed_is_a_cell(tmp_path: Path) -> None:
    plan = read_aspects(written(tmp_path, seeds=[0, 3]))
    assert len(plan.cells) == 10
    assert {cell.recipe.training.seed for cell in plan.cells.values()} == {0, 3}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"aspects": {"data": {"options": {"one": {}}}}}, "aspects.data.options"),
        (
            {"aspects": {"data": {"options": {"a": {}, "b": {}}, "within": "algorithm.ppo"}}},
            "no option 'algorithm.ppo'",
        ),
        ({"aspects": {"data": {"options": {"a": {}, "b": {"dat": {}}}}}}, "dat"),
        ({"measures": "x"}, "measures"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_aspects(written(tmp_path, **changes))


def test_a_measure_that_is_not_there() -> None:
    record = {"evaluation": {"held_out": {"reward_accuracy": {"value": 0.5, "low": 0.4, "high": 0.6}}}}
    found = _outcome(record, "held_out.reward_accuracy", "base")
    assert (found.value, found.error) == (0.5, pytest.approx(0.2 / 3.92))
    with pytest.raises(RecipeError, match=r"evaluation of 'base' has no 'samples\.win_rate\.rate'"):
        _outcome(record, "samples.win_rate.rate", "base")


def test_a_dry_run_lists_the_cells() -> None:
    ended = CliRunner().invoke(app, ["aspects", str(EXAMPLE), "--dry-run"])
    assert ended.exit_code == 0
    assert ended.stdout.split()[0] == "base-seed=0"


def test_a_dry_run_lists_the_recipes_as_json() -> None:
    ended = CliRunner().invoke(app, ["aspects", str(EXAMPLE), "--dry-run", "--json"])
    assert ended.exit_code == 0, ended.output
    cells = json.loads(ended.output)["cells"]
    assert set(cells) == set(read_aspects(EXAMPLE).cells)
    assert all(cell["model"]["name"] and cell["objective"] for cell in cells.values())


@pytest.mark.slow
def test_two_aspects_run_and_are_compared(tmp_path: Path) -> None:
    base = {
        "model": "truing/tiny",
        "data": {"path": "truing/hh-sample", "limit": 60, "eval_fraction": 0.3, "max_length": 96},
        "objective": "dpo",
        "training": {"max_steps": 2, "learning_rate": 1e-4, "global_batch": 4},
        "evaluation": {"samples": 0, "judged_prompts": 0},
    }
    two = {
        "data": {"options": {"clean": {}, "flipped": {"data": {"perturb": [{"flip_labels": {"rate": 0.4}}]}}}},
        "algorithm": {"options": {"dpo": {}, "ipo": {"objective": "ipo"}}},
    }
    path = written(
        tmp_path, base=base, aspects=two, measure="held_out.reward_accuracy", output=str(tmp_path / "out")
    )
    ended = CliRunner().invoke(app, ["aspects", str(path)])
    assert ended.exit_code == 0, ended.output
    assert {line.partition(":")[0] for line in ended.stdout.strip().splitlines()} >= {"data", "algorithm"}
    assert (tmp_path / "out" / "aspects.json").exists()
