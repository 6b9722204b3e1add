"""The examples work: every recipe gives a plan, one trains, and scripts print what the documentation shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from truing.arenas.load import load_arena
from truing.arenas.plan import plan as arena_plan
from truing.errors import DataError
from truing.recipe import load_recipe
from truing.rewards.models.training import TrainReward, reward_recipe
from truing.training.plan import plan
from truing.training.prepare import prepare
from truing.unlearning.load import load_job

from .pages import ROOT

EXAMPLES = ROOT / "examples"
ASPECTS = sorted(EXAMPLES.glob("aspects*.yaml"))  # tests/arenas/test_aspects.py reads it
FRONTIERS = sorted(EXAMPLES.glob("frontier*.yaml"))
ARENAS = sorted(EXAMPLES.glob("arena*.yaml"))
UNLEARNING = sorted(set((EXAMPLES / "unlearning").glob("*.yaml")) - {EXAMPLES / "unlearning" / "teach.yaml"})
REWARDS = sorted(EXAMPLES.glob("reward*.yaml"))
RECIPES = sorted(set(EXAMPLES.glob("*.yaml")) - {*ARENAS, *FRONTIERS, *ASPECTS, *REWARDS})
# Enough to see every stage, little enough to be quick.
SHORT = [
    "training.max_steps=2",
    "training.global_batch=4",
    "data.limit=40",
    "data.max_length=128",
    "evaluation.samples=1",
    "evaluation.judged_prompts=2",
    "evaluation.max_new_tokens=4",
]


def test_there_are_examples() -> None:
    assert {path.stem for path in RECIPES} >= {"dpo", "simpo", "kto", "mixture", "lora"}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_gives_a_plan(path: Path) -> None:
    found = plan(prepare(load_recipe(path, ["data.limit=60", "data.max_length=128"])))
    assert found["model"]["scoring"] == "trees"
    assert found["data"]["layout"] == {"few-shot": "demonstrations"}.get(path.stem, "hh")
    assert found["training"]["steps"] > 0


@pytest.mark.parametrize("path", REWARDS, ids=lambda path: path.stem)
def test_a_recipe_of_a_reward_model_gives_a_plan(path: Path) -> None:
    recipe = reward_recipe(path, ["data.limit=60", "data.max_length=128"])
    found = plan(prepare(recipe, accepts=TrainReward().check))
    assert found["model"]["scoring"] == "trees"
    assert found["data"]["held_out_rows"] > 0


@pytest.mark.parametrize("path", UNLEARNING, ids=lambda path: path.stem)
def test_a_recipe_of_unlearning_is_checked(path: Path) -> None:
    """Up to the folder of questions, which the commands at its head make."""
    with pytest.raises(DataError, match="no folder of an unlearning experiment"):
        load_job(path, ["measure.retrained=truing/tiny"])
    assert load_job(path, ["measure=null"]).align.training.max_steps == 120


@pytest.mark.parametrize("path", ARENAS, ids=lambda path: path.stem)
def test_an_arena_gives_a_plan_with_equal_budgets(path: Path) -> None:
    found = arena_plan(load_arena(path))
    assert len({cell.objective for cell in found.cells}) >= 25
    assert {work.steps for work in found.work} == {16}
    assert not any(cell.own_budget for cell in found.cells)


@pytest.mark.parametrize("path", FRONTIERS, ids=lambda path: path.stem)
def test_a_frontier_gives_a_plan(path: Path) -> None:
    assert len({cell.name for cell in arena_plan(load_arena(path)).cells}) == 8


@pytest.mark.slow
def test_the_script_aligns(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "align.py"), *SHORT, f"output={tmp_path / 'run'}"],
        capture_output=True,
        text=True,
        check=False,
        env={**_environment(), "TRUING_CACHE": str(tmp_path / "cache")},
    )
    assert done.returncode == 0, done.stderr
    assert "held-out" in done.stdout
    assert {"model", "run.json", "metrics.jsonl", "report.html"} <= {p.name for p in (tmp_path / "run").iterdir()}


@pytest.mark.slow
def test_contradictions_print_what_verify_shows() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "contradictions.py")], capture_output=True, text=True, check=True
    )
    page = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
    assert f"```text\n{done.stdout}```" in page


def _environment() -> dict[str, str]:
    import os

    return dict(os.environ)
