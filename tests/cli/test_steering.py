"""``truing steering`` and ``truing audit steering`` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from tests.jobs import model_folder, pairs, truing, write_rows
from truing.cli.app import app
from truing.decoding.activation.fitted import Fitted
from truing.policies import generation
from truing.policies.fingerprint import of_parameters
from truing.policies.generation import Sampling
from truing.rewards.judges.local import load_policy


def test_fit_then_write(tmp_path: Path) -> None:
    model, data = model_folder(tmp_path / "model"), write_rows(tmp_path / "pairs.jsonl", pairs(12))
    file = tmp_path / "direction.safetensors"
    ended = truing(["steering", "fit", model, data, "-o", file, "--estimator", "lda", "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["layer"] in (0, 1)
    assert found["examples"] == [12, 12]
    assert set(found["scores"]) == {"auc", "js"}
    asked = ["steering", "generate", model, "hello", "fox", "-d", file, "--max-new-tokens", "4"]
    said = truing([*asked, "-c", "0", "-c", "40", "--json"], tmp_path / "p")
    assert said.code == 0, said.err
    rows = json.loads(said.out)
    assert [(row["prompt"], row["strength"]) for row in rows] == [
        (prompt, c) for prompt in ("hello", "fox") for c in (None, 0.0, 40.0)
    ]
    assert rows[0]["answer"] == rows[1]["answer"] != rows[2]["answer"]
    shown = truing(asked, tmp_path / "p")
    assert "untouched" in shown.out
    assert "c = 1" in shown.out


def test_the_text_itself_starts_as_texts_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The prompt is read once without the direction and once with it, after the token of the beginning alone."""
    folder, file = model_folder(tmp_path / "model"), tmp_path / "direction.safetensors"
    policy = load_policy(str(folder))
    Fitted(torch.ones(2, 32), 0, torch.ones(2), of_parameters(policy.inner)).save(file)
    read = []

    def generate(policy: Any, prompts: list[list[int]], sampling: Sampling) -> list[list[int]]:
        read.extend(policy.tokenizer.decode(ids) for ids in prompts)
        return [[] for _ in prompts]

    monkeypatch.setattr(generation, "generate", generate)
    ended = CliRunner().invoke(app, ["steering", "generate", str(folder), "hello", "-d", str(file), "--plain"])
    assert ended.exit_code == 0, ended.output
    assert read == ["<|begin_of_text|>hello"] * 2


def test_mistakes_are_named(tmp_path: Path) -> None:
    model, data = model_folder(tmp_path / "model"), write_rows(tmp_path / "pairs.jsonl", pairs(12))
    file = tmp_path / "direction.safetensors"
    for arguments, words in (
        (["fit", model, data, "-o", file, "--estimator", "ldas"], "--estimator"),
        (["generate", model, "x", "-d", file], "there is no such file"),
    ):
        assert words in truing(["steering", *arguments], tmp_path / "p").mistake()
    rows = [{"prompt": "a", "completion": " b", "label": i % 2 == 0} for i in range(8)]
    unpaired = write_rows(tmp_path / "unpaired.jsonl", rows)
    assert (
        "take the rule auc"
        in truing(["steering", "fit", model, unpaired, "-o", file, "--rule", "js"], tmp_path / "p").mistake()
    )
    assert truing(["steering", "fit", model, unpaired, "-o", file], tmp_path / "p").code == 0
    other = model_folder(tmp_path / "other")
    from safetensors.torch import load_file, save_file

    weights = load_file(str(other / "model.safetensors"))
    changed = {name: weight + torch.ones_like(weight) for name, weight in weights.items()}
    save_file(changed, str(other / "model.safetensors"), {"format": "pt"})
    assert "other weights" in truing(["steering", "generate", other, "x", "-d", file], tmp_path / "p").mistake()
    assert (
        "which are no pairs" in truing(["audit", "steering", model, "--data", unpaired], tmp_path / "p").mistake()
    )


def test_the_audit_says_who_noticed(tmp_path: Path) -> None:
    model, data = model_folder(tmp_path / "model"), write_rows(tmp_path / "pairs.jsonl", pairs(24))
    audit = ["audit", "steering", model, "--data", data, "-c", "-3", "-c", "3"]
    plan = truing([*audit, "--dry-run", "--json"], tmp_path / "p")
    assert json.loads(plan.out)["pairs"] == 24
    ended = truing([*audit, "--all-blocks", "--json"], tmp_path / "p")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert [one["strength"] for one in found["arms"]] == [-3.0, 3.0]
    assert found["fitted_on"] == found["tested_on"] == 12
    assert found["layer"] in (0, 1)
    assert found["broken"] == [f"new hook model.layers.{found['layer']}: forward hook of _Hook"]
    assert set(found["effects"]) == {"0", "1"}
    shown = truing(audit, tmp_path / "p").out
    assert "McNemar" in shown
    assert "Norms and drift" in shown


def test_real_statements_of_a_persona(tmp_path: Path, shared_data: Path) -> None:
    """Agreeable or not, by truing/tiny: a push towards either side moves the odds of yes and no by opposite amounts."""
    import gzip

    with gzip.open(shared_data / "model-written-evals/persona.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["behavior"] == "agreeableness"][:24]
    data = write_rows(tmp_path / "agree.jsonl", rows)
    ended = truing(
        [
            "audit",
            "steering",
            "truing/tiny",
            "--data",
            data,
            "-c",
            "-1",
            "-c",
            "1",
            "--max-length",
            "96",
            "--json",
        ],
        tmp_path / "p",
    )
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["tested_on"] == 12
    assert found["size"] < 1
