"""LoRA: the reference is the base to the last bit, and what is written loads elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.policies.models import tiny
from truing.errors import ModelError, RecipeError
from truing.policies.causal import CausalPolicy
from truing.policies.loading import load_model
from truing.policies.packing import Tree
from truing.recipe.schema import PeftSection
from truing.training import adapters

TREES = [Tree([5, 6, 7], [[8, 9, 10], [11, 12]]), Tree([13], [[14], [15, 16, 17, 18]])]


def _trained(base: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(3)
    model = adapters.attach(base, PeftSection(rank=3, alpha=6))  # type: ignore[arg-type]
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1)
    return model


def _logps(model: torch.nn.Module) -> torch.Tensor:
    policy = CausalPolicy(model, precision="float32")  # type: ignore[arg-type]
    with policy.evaluating():
        return policy.score_all(TREES).token_logps


def test_a_fresh_adapter_changes_nothing() -> None:
    torch.testing.assert_close(
        _logps(adapters.attach(tiny("llama"), PeftSection())), _logps(tiny("llama")), atol=1e-5, rtol=0
    )


def test_with_the_adapter_off_the_model_is_the_base_exactly() -> None:
    base = _logps(tiny("llama"))
    policy = CausalPolicy(_trained(tiny("llama")), precision="float32")  # type: ignore[arg-type]
    with policy.evaluating(), policy.without_adapter():
        assert torch.equal(policy.score_all(TREES).token_logps, base)
    with policy.evaluating():
        on = policy.score_all(TREES).token_logps
    # Else the equality above would hold of an adapter that does nothing.
    assert float((on - base).abs().max()) > 0.05


def test_only_the_adapter_is_trained() -> None:
    model = adapters.attach(tiny("llama"), PeftSection(rank=2))
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained
    assert all("lora_" in name for name in trained)
    # Rank 2 on the query matrix of 32 -> 4 heads x 8: 2 x 32 + 32 x 2 numbers.
    layer = [p.numel() for n, p in model.named_parameters() if "layers.0.self_attn.q_proj.lora_" in n]
    assert sum(layer) == 2 * 32 + 32 * 2


def test_export(tmp_path: Path) -> None:
    from peft import PeftModel

    tiny("llama").save_pretrained(tmp_path / "base")
    model = _trained(load_model(str(tmp_path / "base")))
    with_adapter = _logps(model)
    adapters.save(model, tmp_path / "model", tmp_path / "adapter", merge=True)
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    assert not any("lora" in name for name, _ in merged.named_parameters())
    torch.testing.assert_close(_logps(merged), with_adapter, atol=2e-5, rtol=0)
    again = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(tmp_path / "base"), tmp_path / "adapter"
    )
    torch.testing.assert_close(_logps(again), with_adapter, atol=2e-5, rtol=0)
    torch.testing.assert_close(_logps(load_model(str(tmp_path / "adapter"))), with_adapter, atol=2e-5, rtol=0)
    # Nothing half-written lies about.
    assert {p.name for p in tmp_path.iterdir()} == {"base", "model", "adapter"}


def test_adapters_that_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="does not say which model"):
        load_model(str(folder))
    tiny("llama").save_pretrained(tmp_path / "base")
    (folder / "adapter_config.json").write_text(f'{{"base_model_name_or_path": "{tmp_path / "base"}"}}')
    (folder / "adapter_model.bin").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(ModelError, match=r"no adapter_model\.safetensors"):
        load_model(str(folder))


def test_modules_that_are_not_there() -> None:
    with pytest.raises(RecipeError, match="no adapter could be attached") as caught:
        adapters.attach(tiny("llama"), PeftSection(target_modules=["nowhere"]))
    assert "q_proj" in str(caught.value)


def test_qlora_needs_a_gpu_or_its_package() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(Exception, match=r"bitsandbytes|needs a GPU"):
        adapters.quantization()
