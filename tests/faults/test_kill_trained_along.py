"""Modules that learn along survive a kill to the last bit, move a reference with the run, and stay out of the model."""

from __future__ import annotations

import json
import math
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tests.faults import plant
from tests.jobs import job, truing, weights, write_recipe
from truing.training.checkpoints import complete_checkpoints

MODULES = "modules.safetensors"
KINDS: dict[str, dict[str, Any]] = {
    "sparsepo": {"objective": {"name": "sparsepo", "masks": "independent"}},
    "sparsepo on an adapter": {
        "objective": {"name": "sparsepo"},
        "training__peft": {"name": "lora", "rank": 2, "alpha": 4},
        "training__learning_rate": 0.1,
    },
    "tdpo with a moving reference": {"objective": {"name": "tdpo"}, "reference__sync_every": 2},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_killed_with(kind: str, tmp_path: Path) -> None:
    job(tmp_path)
    recipe = write_recipe(tmp_path, **KINDS[kind])
    outcomes = []
    for name, fault in (("whole", None), ("killed", partial(plant.kill_in_step, 6))):
        run = tmp_path / name
        ended = truing(["align", recipe, f"output={run}"], tmp_path / "p", fault)
        if fault is not None:
            assert ended.code == -signal.SIGKILL
            assert complete_checkpoints(run / "checkpoints")
            ended = truing(["align", recipe, f"output={run}", "--resume"], tmp_path / "p")
        assert ended.code == 0, ended.err
        last = complete_checkpoints(run / "checkpoints")[-1] / MODULES
        modules = last.read_bytes() if last.exists() else None
        outcomes.append((weights(run), (run / "metrics.jsonl").read_text(), modules))
    assert outcomes[0] == outcomes[1]
    assert (outcomes[0][2] is None) == (kind == "tdpo with a moving reference")


@pytest.mark.slow
def test_masks_learn_and_stay_out_of_the_model(tmp_path: Path) -> None:
    recipe = job(tmp_path, objective={"name": "sparsepo", "masks": "independent"})
    ended = truing(["align", recipe], tmp_path / "p")
    assert ended.code == 0, ended.err
    run = tmp_path / "out"
    checkpoints = complete_checkpoints(run / "checkpoints")
    first, last = (load_file(path / MODULES) for path in checkpoints[-2:])
    assert {name.split(".")[0] for name in last} == {"mask_reward", "mask_divergence"}
    assert all((first[name] != last[name]).any() for name in last if "dropout" not in name)
    # The model is an ordinary one.
    exported = {p.name: p for p in (run / "model").iterdir()}
    assert MODULES not in exported
    assert set(load_file(exported["model.safetensors"])) == set(
        load_file(tmp_path / "model" / "model.safetensors")
    )
    _, info = AutoModelForCausalLM.from_pretrained(run / "model", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]


def test_tdpo_follows_a_reference_that_moves(tmp_path: Path) -> None:
    """A hard update after every step: policy and reference are the same model in every batch, and the loss is ln 2."""
    job(tmp_path)
    found = {}
    for name, mix in (("hard", 1.0), ("soft", 0.01)):
        recipe = write_recipe(
            tmp_path, objective={"name": "tdpo"}, reference__sync_every=1, reference__sync_mix=mix
        )
        run = tmp_path / name
        ended = truing(["align", recipe, f"output={run}"], tmp_path / "p")
        assert ended.code == 0, ended.err
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        found[name] = [line["loss"] for line in lines if "loss" in line]
    assert found["hard"] == pytest.approx([math.log(2)] * 7, abs=1e-4)
    assert min(found["soft"]) < 0.6
