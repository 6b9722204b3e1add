"""spo-degree, mah-dpo and f-dpg through the command line, on the sample of HH-RLHF with the tiny model."""

from __future__ import annotations

import json
import math
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tests.faults import plant
from tests.jobs import job, pairs, truing, weights, write_recipe, write_rows
from truing.training.checkpoints import complete_checkpoints

OTHER = {"parts": {"other": {"path": "truing/hh-sample", "limit": 40}}}
SAMPLES = {"self_samples": {"count": 2, "max_new_tokens": 8, "reward": "sentiment", "refresh_every": 2}}
# Objective, and what its data need beside the pairs.
RUNS: dict[str, tuple[Any, dict[str, Any]]] = {
    "spo-degree": ({"name": "spo-degree", "gamma": 1.0}, {}),
    "mah-dpo": ("mah-dpo", OTHER),
    "f-dpg": ("f-dpg", SAMPLES),
}


def recipe(folder: Path, name: str, **training: Any) -> Path:
    objective, further = RUNS[name]
    values = {
        "model": "truing/tiny",
        "data": {"path": "truing/hh-sample", "limit": 40, "max_length": 128, "eval_fraction": 0.25, **further},
        "objective": objective,
        "training": {"max_steps": 3, "global_batch": 4, "learning_rate": 1e-3, **training},
        "evaluation": {"samples": 0},
        "output": str(folder / "out"),
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("peft", [None, "lora"], ids=["all weights", "lora"])
@pytest.mark.parametrize("name", RUNS)
def test_it_trains(name: str, peft: str | None, tmp_path: Path) -> None:
    done = truing(["align", recipe(tmp_path, name, peft=peft)], tmp_path)
    assert done.code == 0, done.err
    run = tmp_path / "out"
    assert json.loads((run / "run.json").read_text())["status"] == "finished"
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert len(losses) == 3
    assert all(math.isfinite(loss) for loss in losses)
    assert (run / "report.html").exists()
    assert (run / "heads.safetensors").exists() == (name == "mah-dpo")
    if name == "mah-dpo":
        done = truing(["mix", run, "main=0.5", "other=0.5", "-o", tmp_path / "mixed"], tmp_path)
        assert done.code == 0, done.err
        model = AutoModelForCausalLM.from_pretrained(tmp_path / "mixed")
        other = load_file(run / "heads.safetensors")["other.weight"]
        assert model.get_output_embeddings().weight.shape == other.shape
        # Half of the weights are those of the head of the other aim.
        main = AutoModelForCausalLM.from_pretrained(run / "model") if peft is None else None
        if main is not None:
            expected = (main.get_output_embeddings().weight + other) / 2
            torch.testing.assert_close(
                model.get_output_embeddings().weight, expected.to(other), rtol=1e-5, atol=1e-6
            )


@pytest.mark.slow
def test_what_mix_refuses(tmp_path: Path) -> None:
    job(tmp_path)
    write_rows(tmp_path / "other.jsonl", pairs(9, seed=2))
    recipe_path = write_recipe(
        tmp_path,
        objective={"name": "mah-dpo"},
        data__parts={"other": {"path": str(tmp_path / "other.jsonl")}},
        training__max_steps=2,
    )
    assert truing(["align", recipe_path], tmp_path / "p").code == 0
    run, out = tmp_path / "out", tmp_path / "mixed"

    def refused(*given: object) -> str:
        return truing(["mix", *given, "-o", out], tmp_path / "p").mistake()

    assert "there is no head 'kind'" in refused(run, "kind=1")
    assert "main, other" in refused(run, "kind=1")
    assert "the weight of head 'other' is -1.0" in refused(run, "main=1", "other=-1")
    assert "all weights are 0" in refused(run, "main=0")
    assert "'main' is no weight of a head" in refused(run, "main")
    assert "a head has two weights" in refused(run, "main=1", "main=2")
    assert "this run has no further output heads" in refused(tmp_path, "main=1")
    assert not out.exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mah-dpo", "spo-degree", "f-dpg"])
def test_killed_and_resumed_to_the_last_bit(name: str, tmp_path: Path) -> None:
    job(tmp_path)
    write_rows(tmp_path / "other.jsonl", pairs(9, seed=2))
    further: dict[str, Any] = {
        "mah-dpo": {"data__parts": {"other": {"path": str(tmp_path / "other.jsonl")}}},
        "spo-degree": {},
        "f-dpg": {
            "data__self_samples": {"count": 2, "max_new_tokens": 4, "reward": "sentiment", "refresh_every": 3}
        },
    }[name]
    if name == "spo-degree":
        # Words between which something is left when they are gone.
        for file in ("train.jsonl", "held.jsonl"):
            rows = [json.loads(line) for line in (tmp_path / file).read_text().splitlines()]
            for row in rows:
                row.update(
                    chosen=f" the{row['chosen']} and the bread", rejected=f" the{row['rejected']} or the salt"
                )
            write_rows(tmp_path / file, rows)
    objective = {"name": name, **({"grades": 2} if name == "spo-degree" else {})}
    path = write_recipe(tmp_path, objective=objective, **further)
    outcomes = []
    for folder, fault in (("whole", None), ("killed", partial(plant.kill_in_step, 6))):
        run = tmp_path / folder
        ended = truing(["align", path, f"output={run}"], tmp_path / "p", fault)
        if fault is not None:
            assert ended.code == -signal.SIGKILL
            assert complete_checkpoints(run / "checkpoints")
            ended = truing(["align", path, f"output={run}", "--resume"], tmp_path / "p")
        assert ended.code == 0, ended.err
        heads = run / "heads.safetensors"
        outcomes.append(
            (weights(run), (run / "metrics.jsonl").read_text(), heads.read_bytes() if heads.exists() else None)
        )
    assert outcomes[0] == outcomes[1]
    assert (outcomes[0][2] is not None) == (name == "mah-dpo")


@pytest.mark.parametrize(
    ("name", "samples", "message"),
    [
        ("f-dpg", {"count": 2}, "needs a reward for every sample, and the recipe names no scorer"),
        ("f-dpg", {"reward": "cleverness"}, "cleverness"),
        (
            "dpo",
            {"reward": "sentiment"},
            "data.self_samples.reward has no effect: objective 'dpo' rewards no samples",
        ),
        (
            "d2o",
            {"reward": "sentiment"},
            "data.self_samples.reward has no effect: objective 'd2o' rewards no samples",
        ),
    ],
)
def test_rewards_that_are_missing_unknown_or_unused(
    name: str, samples: dict[str, Any], message: str, tmp_path: Path
) -> None:
    job(tmp_path)
    path = write_recipe(tmp_path, objective={"name": name}, data__self_samples=samples)
    said = truing(["align", path], tmp_path / "p").mistake()
    assert message in " ".join(said.split())
    assert "data.self_samples.reward" in said
    assert not (tmp_path / "out").exists()
