"""Objectives on whole distributions through the command line, on the sample of HH-RLHF with the tiny model."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM

from tests.jobs import truing
from truing.assets import tiny_model

SAMPLES = {"self_samples": {"count": 1, "max_new_tokens": 8}}
CASES: dict[str, dict[str, Any]] = {
    "tdpo": {"objective": "tdpo"},
    "tdpo with a moving reference": {"objective": "tdpo", "reference": {"sync_every": 1, "sync_mix": 0.5}},
    "sparsepo": {"objective": "sparsepo"},
    "sparsepo on an adapter": {
        "objective": {"name": "sparsepo", "masks": "independent"},
        "training": {"peft": "lora"},
    },
    "mapo": {"objective": "mapo"},
    "dckd": {"objective": {"name": "dckd", "teacher": "TEACHER"}},
    "dckd of an adapter": {"objective": {"name": "dckd", "teacher": "TEACHER"}, "training": {"peft": "lora"}},
    "adpa": {
        "objective": {"name": "adpa", "teacher": "TEACHER", "teacher_start": "truing/tiny"},
        "data": SAMPLES,
    },
    "npo with kl": {
        "objective": ["npo", {"name": "kl", "part": "retain"}],
        "data": {"parts": {"retain": {"path": "truing/hh-sample", "limit": 24}}},
    },
    "sparsepo with doubtful labels": {"objective": {"name": "sparsepo", "modify": ["lcpo"]}},
}


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, moved a little: an aligned teacher."""
    folder = tmp_path_factory.mktemp("teacher")
    model = AutoModelForCausalLM.from_pretrained(tiny_model(), dtype=torch.float32)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter) * parameter.std())
    model.save_pretrained(folder)
    return folder


def _recipe(folder: Path, case: dict[str, Any], teacher: Path) -> Path:
    values = {
        "model": "truing/tiny",
        "data": {"path": "truing/hh-sample", "limit": 40, "max_length": 128, **case.get("data", {})},
        "objective": case["objective"],
        "training": {"max_steps": 2, "global_batch": 4, "learning_rate": 1e-3, **case.get("training", {})},
        "reference": case.get("reference", {}),
        "evaluation": {"samples": 0},
        "output": str(folder / "out"),
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(values).replace("TEACHER", str(teacher)), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", CASES)
def test_it_trains(name: str, teacher: Path, tmp_path: Path) -> None:
    done = truing(["align", _recipe(tmp_path, CASES[name], teacher)], tmp_path)
    assert done.code == 0, done.err
    run = tmp_path / "out"
    assert json.loads((run / "run.json").read_text())["status"] == "finished"
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "loss" in line]
    assert len(steps) == 2
    assert all(math.isfinite(line["loss"]) for line in steps)
    assert steps[1]["loss"] != steps[0]["loss"]
    derived = [key for key in steps[0] if key.startswith(("tokens/kl:", "tokens/mask:", "tokens/advantage:"))]
    assert derived
    for key in derived:
        assert math.isfinite(steps[0][key])
        if ":reference" in key:
            # Policy and reference are the same model in the first step.
            assert abs(steps[0][key]) < 1e-5
        if "mask:" in key:
            assert 0 < steps[0][f"density/{key.removeprefix('tokens/')}"] <= 1
    if "teacher" in str(CASES[name]):
        assert all(abs(steps[0][key]) > 1e-4 for key in derived)
    report = (run / "report.html").read_text(encoding="utf-8")
    assert ("Which tokens carry the preference?" in report) == ("sparsepo" in name)


def test_a_teacher_without_alignment_teaches_nothing(tmp_path: Path, teacher: Path) -> None:
    case = {"objective": "adpa", "data": SAMPLES}
    message = truing(["align", _recipe(tmp_path, case, teacher)], tmp_path).mistake()
    assert "teacher and teacher_start are the same model, truing/tiny" in message
    assert "objective" in message


def test_a_teacher_with_other_tokens_is_refused(tmp_path: Path, teacher: Path) -> None:
    other = AutoModelForCausalLM.from_pretrained(teacher)
    other.resize_token_embeddings(other.config.vocab_size + 8)
    other.save_pretrained(tmp_path / "other")
    case = {"objective": {"name": "dckd", "teacher": str(tmp_path / "other")}}
    message = truing(["align", _recipe(tmp_path, case, teacher)], tmp_path).mistake()
    assert "the models that are compared have different vocabularies" in message
    assert "same tokenizer" in message
