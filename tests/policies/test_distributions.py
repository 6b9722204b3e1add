"""Values from whole distributions, and their gradients, equal a slow computation from every sequence's full logits."""

from __future__ import annotations

import copy

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from torch.nn.functional import kl_div
from transformers import PreTrainedModel

from tests.policies.models import ARCHITECTURES, tiny
from tests.policies.reference_scores import random_trees
from tests.training.runs import force_layout
from truing.errors import ObjectiveError
from truing.policies import head, llama_stack
from truing.policies.causal import CausalPolicy
from truing.policies.distributions import Comparison

DECODERS = [name for name, (_, _, layout) in ARCHITECTURES.items() if layout != "encoder-decoder"]
TREES = random_trees()
NAMES = ("kl:reference", "advantage:better|worse")


def _log_probs(model: PreTrainedModel) -> Tensor:
    """Of all tokens where a completion token is predicted, shape ``[M, V]``, every sequence alone."""
    found = []
    for tree in TREES:
        for branch in tree.branches:
            ids = torch.tensor([[*tree.prompt, *branch]])
            logits = model(input_ids=ids, use_cache=False).logits[0, len(tree.prompt) - 1 : -1]
            found.append(logits.float().log_softmax(-1))
    return torch.cat(found)


def _slow(own: PreTrainedModel, other: PreTrainedModel, third: PreTrainedModel) -> list[Tensor]:
    policy = _log_probs(own)
    with torch.no_grad():
        first, second = _log_probs(other), _log_probs(third)
    kl = kl_div(policy, first, log_target=True, reduction="none").sum(-1)
    advantage = sum((policy[:, a].exp() * (first - second)[:, a] for a in range(policy.shape[1])), torch.zeros(()))
    return [kl, advantage]


def _comparisons(other: CausalPolicy, third: CausalPolicy) -> list[Comparison]:
    first, second = other.other(TREES), third.other(TREES)
    return [Comparison(NAMES[0], (first,)), Comparison(NAMES[1], (first, second))]


def _gradients(model: torch.nn.Module, values: list[Tensor]) -> dict[str, Tensor]:
    # A loss that weights every token and both values differently, so that no error can cancel.
    weights = torch.linspace(0.5, 1.5, len(values[0]))
    model.zero_grad()
    (weights * values[0] + weights.flip(0) * values[1]).sum().backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def _policies(name: str) -> list[CausalPolicy]:
    return [CausalPolicy(tiny(name, seed), precision="float32") for seed in range(3)]


def _check(name: str, layout: str | None = None) -> None:
    plain = [tiny(name, seed) for seed in range(3)]
    policy, other, third = _policies(name)
    if layout is not None:
        for one in (policy, other, third):
            force_layout(one, layout)
    expected = _slow(*plain)
    found = policy.score(TREES, comparisons=_comparisons(other, third)).derived
    # Cohere divides its logits by 16.
    assert float(expected[0].detach().min()) > 1e-4
    for key, value in zip(NAMES, expected, strict=True):
        scale = float(value.detach().abs().max())
        torch.testing.assert_close(found[key], value, atol=1e-6 + 2e-5 * scale, rtol=1e-4)
    got = _gradients(policy.model, [found[key] for key in NAMES])
    wanted = _gradients(plain[0], expected)
    assert got.keys() == wanted.keys()
    scale = max(float(g.abs().max()) for g in wanted.values())
    for key, gradient in wanted.items():
        torch.testing.assert_close(got[key], gradient, atol=2e-4 * scale, rtol=1e-3)
    assert all(p.grad is None for p in (*other.model.parameters(), *third.model.parameters()))


@pytest.mark.parametrize("name", DECODERS)
def test_values_and_gradients(name: str) -> None:
    _check(name)


@pytest.mark.parametrize("layout", ["trees", "rows"])
@pytest.mark.parametrize("name", ["llama", "gpt2", "qwen2"])
def test_layouts(name: str, layout: str) -> None:
    _check(name, layout)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    policy, other, third = _policies("llama")
    values, gradients = [], []
    for rows in (32, 10_000):
        monkeypatch.setattr(head, "CHUNK_BYTES", {"cpu": rows * 97 * 4, "cuda": 0})
        found = policy.score(TREES, comparisons=_comparisons(other, third)).derived
        values.append([found[key].detach() for key in NAMES])
        gradients.append(_gradients(policy.model, [found[key] for key in NAMES]))
    # The 40 positions were two chunks, then one.
    assert len(values[0][0]) == 40
    for one, two in zip(*values, strict=True):
        torch.testing.assert_close(one, two, atol=1e-6, rtol=1e-6)
    for key in gradients[0]:
        torch.testing.assert_close(gradients[0][key], gradients[1][key], atol=1e-5, rtol=1e-5)


def test_bfloat16_is_near() -> None:
    models = [tiny("llama", seed) for seed in range(3)]
    expected = [value.detach() for value in _slow(*(copy.deepcopy(model) for model in models))]
    policy, other, third = (CausalPolicy(model, precision="bfloat16") for model in models)
    assert policy.precision.autocast is torch.bfloat16
    found = policy.score(TREES, comparisons=_comparisons(other, third)).derived
    for key, value in zip(NAMES, expected, strict=True):
        assert found[key].dtype == torch.float32
        # Values are up to 10 nats; logits have 8 bits.
        assert float((found[key] - value).abs().mean()) < 0.03 * float(value.abs().mean())


@pytest.mark.parametrize("modules", ["all-linear", ["q_proj", "lm_head"]], ids=["layers", "head too"])
def test_an_adapter_is_off_in_the_reference(modules: str | list[str]) -> None:
    base = tiny("llama")
    adapted = get_peft_model(
        tiny("llama"), LoraConfig(r=2, target_modules=modules, task_type="CAUSAL_LM", init_lora_weights=False)
    )
    policy = CausalPolicy(adapted, precision="float32")
    with policy.evaluating(), policy.without_adapter():
        reference = policy.other(TREES)
        layers = policy.layers(TREES)
    found = policy.score(TREES, comparisons=[Comparison("kl:reference", (reference,))]).derived["kl:reference"]
    with torch.no_grad():
        expected = kl_div(_log_probs(adapted), _log_probs(base), log_target=True, reduction="none").sum(-1)
    assert float(expected.mean()) > 0.01
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(layers, CausalPolicy(base, precision="float32").layers(TREES), atol=1e-5, rtol=1e-5)
    # And what is trained learns.
    found.sum().backward()
    trained = {name for name, p in adapted.named_parameters() if p.requires_grad}
    assert trained == {name for name, p in adapted.named_parameters() if p.grad is not None}
    assert all("lora_" in name for name in trained)


def test_a_model_does_not_differ_from_itself() -> None:
    policy = CausalPolicy(tiny("llama"), precision="float32")
    found = policy.score(TREES, comparisons=[Comparison("kl:reference", (policy.other(TREES),))]).derived
    assert float(found["kl:reference"].abs().max()) < 1e-6


def test_another_vocabulary_is_refused() -> None:
    policy = CausalPolicy(tiny("llama"), precision="float32")
    larger = tiny("llama", 1)
    larger.resize_token_embeddings(101)
    other = CausalPolicy(larger, precision="float32").other(TREES)
    with pytest.raises(ObjectiveError, match="different vocabularies") as caught:
        policy.score(TREES, comparisons=[Comparison("kl:teacher", (other,))])
    assert caught.value.where == "kl:teacher"
    assert "97 tokens" in str(caught.value.allowed)
    assert "same tokenizer" in str(caught.value.fix)


@pytest.mark.parametrize("name", ["t5", "bart"])
def test_encoder_decoders_are_refused(name: str) -> None:
    policy = CausalPolicy(tiny(name), precision="float32")
    other = CausalPolicy(tiny("llama"), precision="float32").other(TREES)
    message = "its body and its output head cannot be told apart"
    with pytest.raises(ObjectiveError, match=f"distributions cannot be had of this model: {message}") as caught:
        policy.score(TREES, comparisons=[Comparison("kl:reference", (other,))])
    assert "decoder-only" in str(caught.value.allowed)
    with pytest.raises(ObjectiveError, match=message):
        policy.other(TREES)
    with pytest.raises(ObjectiveError, match=message):
        policy.layers(TREES)


@pytest.mark.parametrize("name", DECODERS)
@torch.no_grad()
def test_states_of_all_layers(name: str) -> None:
    plain = tiny(name)
    expected = []
    for tree in TREES:
        for branch in tree.branches:
            ids = torch.tensor([[*tree.prompt, *branch]])
            states = plain(input_ids=ids, use_cache=False, output_hidden_states=True).hidden_states
            expected.append(torch.stack([layer[0, len(tree.prompt) - 1 : -1] for layer in states]))
    found = CausalPolicy(tiny(name), precision="float32").layers(TREES)
    assert len(found) == plain.config.num_hidden_layers + 1
    torch.testing.assert_close(found, torch.cat(expected, dim=1), atol=1e-4, rtol=1e-4)


def test_asking_for_states_changes_nothing_that_follows() -> None:
    """Transformers leaves its recording hooks on the layers: a run that is resumed must not round otherwise."""
    policy = CausalPolicy(tiny("llama"), precision="float32")
    before = policy.other(TREES).hidden
    supported = llama_stack.supports(policy.inner, policy.request(TREES).layout)
    policy.layers(TREES)
    assert torch.equal(policy.other(TREES).hidden, before)
    assert supported
    assert llama_stack.supports(policy.inner, policy.request(TREES).layout)
    policy.inner.base_model.layers[0].register_forward_hook(lambda module, inputs, output: output)
    assert not llama_stack.supports(policy.inner, policy.request(TREES).layout)
