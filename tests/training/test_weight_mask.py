"""``training.weight_mask``: some weights learn, the others keep their bits."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tests.faults import plant
from tests.jobs import job, truing, weights
from truing.errors import RecipeError
from truing.recipe import load_recipe
from truing.training.prepare import prepare
from truing.unlearning.masks import save_mask


def _half(folder: Path, share: float = 0.5, **others: torch.Tensor) -> Path:
    """A mask of random weights of the job's model; ``others`` replace what it says of a parameter."""
    model = AutoModelForCausalLM.from_pretrained(folder / "model")
    draw = torch.Generator().manual_seed(3)
    mask = {name: torch.rand(p.shape, generator=draw) < share for name, p in model.named_parameters()}
    path = folder / "mask.safetensors"
    save_mask({**mask, **others}, path)
    return path


def test_only_freed_weights_move(tmp_path: Path) -> None:
    recipe = job(tmp_path, training__weight_decay=0.1)
    mask = _half(tmp_path)
    ended = truing(["align", recipe, f"training.weight_mask={mask}"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "of the weights may change" in ended.err
    before, after = (
        load_file(tmp_path / "model/model.safetensors"),
        load_file(tmp_path / "out/model/model.safetensors"),
    )
    free = load_file(mask)
    moved = 0
    for name, value in after.items():
        changed = value != before[name]
        assert not bool((changed & ~free[name]).any()), name
        moved += int(changed.sum())
    assert moved > 0.9 * sum(int(free[name].sum()) for name in after)


@pytest.mark.slow
def test_a_killed_run_with_a_mask_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    recipe = job(tmp_path, training__weight_decay=0.1)
    command = ["align", recipe, f"training.weight_mask={_half(tmp_path)}"]
    assert truing(command, tmp_path / "p").code == 0
    killed = [*command, f"output={tmp_path / 'killed'}"]
    assert truing(killed, tmp_path / "p", partial(plant.kill_in_step, 5)).code == -signal.SIGKILL
    assert truing([*killed, "--resume"], tmp_path / "p").code == 0
    assert weights(tmp_path / "killed") == weights(tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("training.peft=lora", "with an adapter those do not learn"),
        ("training.arguments={fsdp: full_shard}", "needs whole weights in every process"),
        ("training.arguments={deepspeed: zero.json}", "needs whole weights in every process"),
    ],
)
def test_what_cannot_hold_weights_is_refused(change: str, told: str, tmp_path: Path) -> None:
    recipe = job(tmp_path)
    with pytest.raises(RecipeError, match=told):
        prepare(load_recipe(recipe, [f"training.weight_mask={_half(tmp_path)}", change]))


def test_a_mask_of_another_model_is_refused(tmp_path: Path) -> None:
    recipe = job(tmp_path)
    mask = _half(tmp_path, **{"model.norm.weight": torch.ones(5, dtype=torch.bool)})
    with pytest.raises(RecipeError, match=r"'model.norm.weight' has the shape \[5\]"):
        prepare(load_recipe(recipe, [f"training.weight_mask={mask}"]))
    with pytest.raises(RecipeError, match="the mask cannot be read"):
        prepare(load_recipe(recipe, [f"training.weight_mask={tmp_path / 'none.safetensors'}"]))
