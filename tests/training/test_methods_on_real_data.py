"""Methods through the command line, on the sample of HH-RLHF with the tiny model, all weights and adapters."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.jobs import truing

OBJECTIVES: dict[str, Any] = {
    "asft": "asft",
    "asft with a reference": {"name": "asft", "beta": 0.5},
    "rpo": "rpo",
    "rdpo": "rdpo",
    "flex-dpo": {"name": "flex-dpo", "fade_below": -0.5},
    "sft-dpo": "sft-dpo",
    "mm-dpo": {"name": "mm-dpo", "margin_source": "policy-batch"},
    "lcpo": "lcpo",
    "cpo with latent labels": {"name": "cpo", "modify": [{"lcpo": {"start": 0.8}}]},
}


def recipe(folder: Path, objective: Any, **changes: Any) -> Path:
    values = {
        "model": "truing/tiny",
        "data": {"path": "truing/hh-sample", "limit": 24, "max_length": 96, "eval_fraction": 0.25},
        "objective": objective,
        "training": {"max_steps": 2, "global_batch": 4, "learning_rate": 1e-3, **changes},
        "evaluation": {"samples": 0},
        "output": str(folder / "out"),
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


@pytest.mark.parametrize("peft", [None, "lora"], ids=["all weights", "lora"])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_it_trains(name: str, peft: str | None, tmp_path: Path) -> None:
    done = truing(["align", recipe(tmp_path, OBJECTIVES[name], peft=peft)], tmp_path)
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["status"] == "finished"
    lines = [json.loads(line) for line in (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert len(losses) == 2
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[1] != losses[0]
    assert (tmp_path / "out" / "report.html").exists()


def test_margins_are_asked_for(tmp_path: Path) -> None:
    done = truing(["align", recipe(tmp_path, "mm-dpo")], tmp_path)
    message = done.mistake()
    assert "'margin'" in message
    assert "the data has none" in message
