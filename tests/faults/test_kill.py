"""A run that is killed at any moment goes on to weights that are the same to the last bit."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.faults import plant
from tests.jobs import files, job, truing, weights, write_recipe
from truing.training.checkpoints import complete_checkpoints

KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Whole:
    """A run that nobody disturbed: where its files are, what came out, how often it changed something on disk."""

    folder: Path
    recipe: Path
    weights: str
    metrics: str
    changes: int


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    recipe = job(folder)
    counted = folder / "changes"
    ended = truing(["align", recipe], folder / "p", partial(plant.count_changes, folder / "out", counted))
    assert ended.code == 0, ended.err
    run = folder / "out"
    return Whole(folder, recipe, weights(run), (run / "metrics.jsonl").read_text(), int(counted.read_text()))


def _same_in_the_end(run: Path, whole: Whole) -> None:
    assert weights(run) == whole.weights
    assert (run / "metrics.jsonl").read_text() == whole.metrics
    assert json.loads((run / "run.json").read_text())["status"] == "finished"
    # Nothing half-written stays behind.
    assert [name for name in files(run) if "partial" in name] == []
    assert set(files(run)) == set(files(whole.folder / "out"))


def _resume(whole: Whole, run: Path, processes: Path) -> None:
    ended = truing(["align", whole.recipe, f"output={run}", "--resume"], processes)
    if not (run / "run.json").exists():
        # Killed before anything was written: there is nothing to resume, and the message says so.
        assert "nothing to resume" in ended.mistake()
        shutil.rmtree(run, ignore_errors=True)
        ended = truing(["align", whole.recipe, f"output={run}"], processes)
    assert ended.code == 0, ended.err


def _killed(whole: Whole, run: Path, processes: Path, number: int) -> None:
    command = ["align", whole.recipe, f"output={run}"]
    ended = truing(command, processes, partial(plant.kill_at_change, run, number))
    assert ended.code == KILLED


def test_two_undisturbed_runs_are_the_same(whole: Whole, tmp_path: Path) -> None:
    # Else the comparisons below would mean nothing.
    ended = truing(["align", whole.recipe, f"output={tmp_path / 'out'}"], tmp_path / "p")
    assert ended.code == 0
    _same_in_the_end(tmp_path / "out", whole)
    other = truing(["align", whole.recipe, f"output={tmp_path / 'b'}", "training.seed=1"], tmp_path / "p")
    assert other.code == 0
    assert weights(tmp_path / "b") != whole.weights


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.95, 1.0])
def test_killed_at_a_write(share: float, whole: Whole, tmp_path: Path) -> None:
    number = 1 + round(share * (whole.changes - 1))
    _killed(whole, tmp_path / "out", tmp_path / "p", number)
    _resume(whole, tmp_path / "out", tmp_path / "p")
    _same_in_the_end(tmp_path / "out", whole)


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 4])
def test_killed_in_a_step(step: int, whole: Whole, tmp_path: Path) -> None:
    command = ["align", whole.recipe, f"output={tmp_path / 'out'}"]
    assert truing(command, tmp_path / "p", partial(plant.kill_in_step, step)).code == KILLED
    _resume(whole, tmp_path / "out", tmp_path / "p")
    _same_in_the_end(tmp_path / "out", whole)


@pytest.mark.slow
def test_killed_twice(whole: Whole, tmp_path: Path) -> None:
    command = ["align", whole.recipe, f"output={tmp_path / 'out'}"]
    assert truing(command, tmp_path / "p", partial(plant.kill_in_step, 4)).code == KILLED
    again = truing([*command, "--resume"], tmp_path / "p", partial(plant.kill_in_step, 3))
    assert again.code == KILLED
    assert [p.name for p in complete_checkpoints(tmp_path / "out" / "checkpoints")][-1] == "checkpoint-4"
    _resume(whole, tmp_path / "out", tmp_path / "p")
    _same_in_the_end(tmp_path / "out", whole)


@pytest.mark.slow
def test_killed_within_a_checkpoint_takes_the_one_before(whole: Whole, tmp_path: Path) -> None:
    run = tmp_path / "out"
    # A checkpoint calls torch.save four times (arguments, optimiser, schedule, random state): the sixth call
    # is the optimiser's file of the second checkpoint, at step 4.
    ended = truing(
        ["align", whole.recipe, f"output={run}"], tmp_path / "p", partial(plant.kill_within_torch_save, 6)
    )
    assert ended.code == KILLED
    assert any("checkpoint-4/optimizer.pt" in name for name in files(run)), "the kill came at another moment"
    assert [p.name for p in complete_checkpoints(run / "checkpoints")] == ["checkpoint-2"]
    _resume(whole, run, tmp_path / "p")
    _same_in_the_end(run, whole)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["after", "export", "report"])
def test_killed_after_training(stage: str, whole: Whole, tmp_path: Path) -> None:
    run = tmp_path / "out"
    ended = truing(["align", whole.recipe, f"output={run}"], tmp_path / "p", partial(plant.kill_on_stage, stage))
    assert ended.code == KILLED
    _resume(whole, run, tmp_path / "p")
    _same_in_the_end(run, whole)


UNPAIRED = [
    {"prompt": f"{n} quick brown", "completion": f" {word} fox", "label": n % 3 == 0}
    for n, word in enumerate(["bread", "flour", "salt", "water", "yeast", "fox"] * 3)
]

KINDS = {
    # BCO's shift is a running mean of rewards: state of the objective.
    "bco": {"objective": {"name": "bco"}},
    "kto": {"objective": {"name": "kto"}},
    "lora": {"training__peft": {"name": "lora", "rank": 2, "alpha": 4}, "training__learning_rate": 0.1},
    "moving reference": {"reference__sync_every": 2},
    "best checkpoint": {"training__keep": "best", "training__eval_every": 1},
    "epochs": {"training__max_steps": None, "training__epochs": 2, "training__schedule": "linear"},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_killed_with(kind: str, tmp_path: Path) -> None:
    job(tmp_path)
    if kind in ("bco", "kto"):
        from tests.jobs import write_rows

        write_rows(tmp_path / "train.jsonl", UNPAIRED)
    recipe = write_recipe(tmp_path, **KINDS[kind])  # type: ignore[arg-type]
    outcomes = []
    for name, fault in (("whole", None), ("killed", partial(plant.kill_in_step, 6))):
        run = tmp_path / name
        ended = truing(["align", recipe, f"output={run}"], tmp_path / "p", fault)
        if fault is not None:
            assert ended.code == KILLED
            assert complete_checkpoints(run / "checkpoints")
            ended = truing(["align", recipe, f"output={run}", "--resume"], tmp_path / "p")
        assert ended.code == 0, ended.err
        outcomes.append((weights(run), (run / "metrics.jsonl").read_text()))
    assert outcomes[0] == outcomes[1]
