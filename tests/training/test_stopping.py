"""Alarms that end a run: the best checkpoint becomes the model, also after a kill."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.faults import plant
from tests.jobs import job, truing, weights


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a budget of a thousandth of a nat, which the first steps exceed."""
    recipe = job(
        tmp_path_factory.mktemp("stopped"),
        alarms={"stop_on": ["kl_budget"], "kl_budget": 0.001},
        training__max_steps=40,
        training__eval_every=2,
        training__save_every=50,
    )
    ended = truing(["align", recipe], recipe.parent / "p")
    assert ended.code == 0, ended.err
    assert "The run was stopped by the alarm kl_budget" in ended.err
    return recipe


def test_an_alarm_ends_the_run(stopped: Path) -> None:
    run = stopped.parent / "out"
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "stopped"
    assert record["stopped_by"] == "kl_budget"
    assert "kl_budget" in {alarm["name"] for alarm in record["alarms"]}
    last = max(json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines())
    assert last < 40
    # The weights are those of the best evaluation.
    best = record["kept_step"]
    kept = load_file(run / "checkpoints" / f"checkpoint-{best}" / "model.safetensors")
    model = load_file(run / "model" / "model.safetensors")
    assert all(torch.equal(values, model[name]) for name, values in kept.items())


def test_without_stop_on_the_same_alarm_only_speaks(stopped: Path, tmp_path: Path) -> None:
    typed = ["align", stopped, "alarms.stop_on=[]", "training.max_steps=10", f"output={tmp_path / 'o'}", "--json"]
    ended = truing(typed, tmp_path / "p")
    record = json.loads(ended.out)
    assert record["status"] == "finished"
    assert record["stopped_by"] is None
    assert "kl_budget" in {alarm["name"] for alarm in record["alarms"]}


@pytest.mark.slow
def test_a_run_that_an_alarm_ended_is_not_trained_on_after_a_kill(stopped: Path, tmp_path: Path) -> None:
    run = tmp_path / "o"
    typed = ["align", stopped, f"output={run}"]
    assert truing(typed, tmp_path / "p", partial(plant.kill_on_stage, "export")).code == -9
    assert truing([*typed, "--resume"], tmp_path / "p").code == 0
    assert weights(run) == weights(stopped.parent / "out")
    record, whole = (json.loads((f / "run.json").read_text()) for f in (run, stopped.parent / "out"))
    for key in ("status", "stopped_by", "kept_step", "alarms"):
        assert record[key] == whole[key], key
