"""The engine asks the model itself, and says so when it cannot be scored."""

from __future__ import annotations

import pytest
import torch

from tests.policies.models import tiny
from truing.errors import ModelError
from truing.policies import llama_stack
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree


def test_a_wrong_layer_shortcut_is_noticed_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    original = llama_stack.fused.rms_norm
    monkeypatch.setattr(llama_stack.fused, "rms_norm", lambda x, w, eps: original(x, w, eps) * 1.05)
    policy = CausalPolicy(tiny("llama"), precision="float32")
    assert policy.verdict.layout == "trees"
    assert not policy.verdict.fast_layers


def test_the_shortcut_is_used_where_it_is_right() -> None:
    assert CausalPolicy(tiny("llama"), precision="float32").verdict.fast_layers
    assert not CausalPolicy(tiny("gemma2"), precision="float32").verdict.fast_layers


def test_fallback_says_why() -> None:
    policy = CausalPolicy(tiny("gptj"), precision="float32")
    assert "attention cannot be exchanged" in policy.verdict.reason
    assert "s_aux" in CausalPolicy(tiny("gpt-oss"), precision="float32").verdict.reason


def test_a_model_whose_scores_cannot_be_reproduced_is_refused() -> None:
    model = tiny("llama")
    original = model.forward

    def noisy(*args, **kwargs):  # type: ignore[no-untyped-def]
        out = original(*args, **kwargs)
        out.logits = out.logits + torch.randn_like(out.logits)
        return out

    model.forward = noisy
    with pytest.raises(ModelError, match="cannot be scored: log-probabilities differ from the model's own by"):
        CausalPolicy(model, precision="float32")


def test_a_binding_window_is_left_to_the_masked_path() -> None:
    model = tiny("mistral-sliding")
    policy = CausalPolicy(model, precision="float32")
    short, long = Tree([5, 6], [[7, 8]]), Tree(list(range(5, 25)), [[7, 8]])
    assert llama_stack.supports(policy.inner, policy.request([short]).layout)
    assert not llama_stack.supports(policy.inner, policy.request([long]).layout)
