"""Options that change how a model is run, or where rows come from, and never what is computed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from tests.jobs import model_folder, pairs, recipe_values, write_rows
from tests.policies.models import tiny
from tests.training.runs import step, train
from truing.errors import ModelError, RecipeError
from truing.objectives import dpo
from truing.policies import llama_stack
from truing.policies.causal import CausalPolicy
from truing.recipe import parse_recipe
from truing.training import layers
from truing.training.align import align
from truing.training.prepare import prepare
from truing.training.splits import load_splits


@pytest.mark.parametrize("layout", ["trees", "rows"])
def test_checkpointed_activations_change_nothing(layout: str, tmp_path: Path) -> None:
    plain = train(step(dpo(), layout=layout), tmp_path / "plain", seed=42)
    checkpointed = step(dpo(), layout=layout)
    layers.checkpoint_activations(checkpointed.policy)
    found = train(checkpointed, tmp_path / "found", seed=42)
    assert found[0] == pytest.approx(plain[0], abs=1e-6)
    torch.testing.assert_close(found[1], plain[1], atol=1e-6, rtol=0)


@pytest.mark.parametrize("fast", [True, False])
def test_checkpointing_runs_every_layer_twice(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = CausalPolicy(tiny("llama"))
    if not fast:
        monkeypatch.setattr(llama_stack, "supports", lambda *_: False)
    counts = {True: 0, False: 0}
    for checkpointing in (False, True):
        if checkpointing:
            layers.checkpoint_activations(policy)
        policy.model.train()
        projection = policy.inner.model.layers[0].self_attn.q_proj  # type: ignore[union-attr]

        def count(*_: object, key: bool = checkpointing) -> None:
            counts[key] += 1

        handle = projection.register_forward_hook(count)
        policy.score(step(dpo()).data.trees([0, 1])).token_logps.sum().backward()
        handle.remove()
    assert counts == {False: 1, True: 2}


@pytest.mark.slow
def test_compiled_layers_change_nothing(tmp_path: Path) -> None:
    plain = train(step(dpo()), tmp_path / "plain", seed=42)
    compiled = step(dpo())
    layers.compile_layers(compiled.policy)
    assert all(layer._compiled_call_impl is not None for layer in compiled.policy.inner.model.layers)  # type: ignore[union-attr]
    found = train(compiled, tmp_path / "found", seed=42)
    assert found[0] == pytest.approx(plain[0], abs=2e-5)
    torch.testing.assert_close(found[1], plain[1], atol=5e-5, rtol=0)


def test_without_a_compiler_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import cpp_builder

    def none_found(*_: object) -> str:
        raise RuntimeError("No working C++ compiler found")

    monkeypatch.setattr(cpp_builder, "get_cpp_compiler", none_found)
    with pytest.raises(RecipeError, match=r"needs a C\+\+ compiler"):
        layers.compile_layers(CausalPolicy(tiny("llama")))


def test_a_model_that_cannot_checkpoint_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = CausalPolicy(tiny("llama"))
    monkeypatch.setattr(type(policy.inner), "supports_gradient_checkpointing", False)
    with pytest.raises(ModelError, match="does not support gradient checkpointing"):
        layers.checkpoint_activations(policy)


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU sharding has an effect")
def test_sharding_without_a_gpu_is_refused(tmp_path: Path) -> None:
    recipe = parse_recipe(recipe_values(tmp_path, training__arguments={"fsdp": "full_shard"}))
    with pytest.raises(RecipeError, match="has no effect here: accelerate shards weights over GPUs only"):
        prepare(recipe)


def test_the_recipe_switches_them_on(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    values = recipe_values(folder, training__gradient_checkpointing=True)
    prepared = prepare(parse_recipe(values))
    assert all(layer.gradient_checkpointing for layer in prepared.policy.inner.model.layers)  # type: ignore[union-attr]


def test_a_stream_is_read_only_as_far_as_needed(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    # The last row is malformed: whoever reads that far fails.
    with (folder / "train.jsonl").open("a") as file:
        file.write('{"prompt": 3}\n')
    values = recipe_values(folder, data__streaming=True, training__max_steps=3)
    recipe = parse_recipe(values)
    train_rows, held = load_splits(recipe)
    assert len(train_rows.dataset) == 3 * 4
    assert held is not None
    assert train_rows.notes == ("the first 12 rows of the stream",)
    plain = [row["prompt"] for row in map(json.loads, (folder / "train.jsonl").open()) if "id" in row]
    assert list(train_rows.dataset["prompt"]) == plain[:12]


def test_a_stream_that_is_too_short_says_so(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    recipe = parse_recipe(recipe_values(folder, data__streaming=True, training__max_steps=100))
    records, _ = load_splits(recipe)
    assert records.notes == ("the first 32 rows of the stream, which has no more; 400 were wanted",)


def test_a_moving_reference_by_recipe(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    # alpha = 1: at every sync the reference becomes the policy, so the next loss is log 2 again.
    values = recipe_values(
        folder, reference__sync_every=2, reference__sync_mix=1.0, training__max_steps=6, training__warmup=0
    )
    result = align(parse_recipe(values))
    losses = [r["loss"] for r in map(json.loads, (result.folder / "metrics.jsonl").open()) if "loss" in r]
    assert [abs(loss - math.log(2)) < 1e-7 for loss in losses] == [True, False, True, False, True, False]


def _folder(tmp_path: Path) -> Path:
    model_folder(tmp_path / "model")
    write_rows(tmp_path / "train.jsonl", pairs(32))
    write_rows(tmp_path / "held.jsonl", pairs(8, seed=1))
    return tmp_path
