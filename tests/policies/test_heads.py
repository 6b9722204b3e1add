"""Several output heads: copies, mixtures, and what is refused."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.policies.models import tiny
from truing.errors import ModelError
from truing.policies.causal import CausalPolicy
from truing.policies.heads import NOISE, OutputHead, mixed, untie
from truing.policies.packing import Tree
from truing.policies.scoring import head_spec

IDS = torch.tensor([[5, 6, 7, 8, 9]])


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model(IDS).logits


def stored(folder: Path, model, **seeds: int) -> dict[str, torch.Tensor]:
    """Random heads as a run writes them."""
    shape = model.get_output_embeddings().weight.shape
    heads = {
        name: torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for name, seed in seeds.items()
    }
    save_file({f"{name}.weight": value for name, value in heads.items()}, str(folder / "heads.safetensors"))
    return heads


@pytest.mark.parametrize("kind", ["llama", "llama-tied"])
def test_a_mixture_weighs_the_logits(kind: str, tmp_path: Path) -> None:
    model = tiny(kind)
    heads = stored(tmp_path, model, brief=1, kind=2)
    own = logits(model)
    with torch.no_grad():
        states = model.model(IDS).last_hidden_state
    found = mixed(model, tmp_path / "heads.safetensors", {"main": 1.0, "brief": 2.0, "kind": 1.0})
    expected = 0.25 * own + 0.5 * states @ heads["brief"].T + 0.25 * states @ heads["kind"].T
    torch.testing.assert_close(logits(found), expected, rtol=1e-5, atol=1e-5)


def test_a_mixture_is_geometric(tmp_path: Path) -> None:
    """Log-probabilities of a mixture are the weighted sum of those of its heads, up to a constant of the position."""
    heads = tmp_path / "heads.safetensors"
    stored(tmp_path, tiny("llama"), brief=1)
    main, brief, both = (
        torch.log_softmax(logits(mixed(tiny("llama"), heads, weights)), -1)
        for weights in ({"main": 1.0}, {"brief": 1.0}, {"main": 0.3, "brief": 0.7})
    )
    torch.testing.assert_close(both, torch.log_softmax(0.3 * main + 0.7 * brief, -1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["llama", "llama-tied"])
def test_untying_keeps_the_logits(kind: str) -> None:
    model = tiny(kind)
    before = logits(model)
    untie(model)
    assert torch.equal(logits(model), before)
    assert model.get_output_embeddings().weight is not model.get_input_embeddings().weight
    assert not model.config.tie_word_embeddings
    with torch.no_grad():
        model.get_output_embeddings().weight.add_(1.0)
    assert not torch.equal(logits(model), before)


def test_an_untied_mixture_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = tiny("llama-tied")
    stored(tmp_path, model, brief=1)
    found = mixed(model, tmp_path / "heads.safetensors", {"brief": 1.0})
    found.save_pretrained(tmp_path / "mixed")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "mixed").float().eval()
    torch.testing.assert_close(logits(again), logits(found), rtol=1e-6, atol=1e-6)


def test_a_copied_head_scores_like_its_source() -> None:
    policy = CausalPolicy(tiny("llama"), precision="float32")
    source = policy.inner.get_output_embeddings()
    head = OutputHead(source, head_spec(policy.inner), 3)
    difference = head.weight.detach() - source.weight.detach()
    assert float(difference.std()) == pytest.approx(NOISE, rel=0.1)
    trees = [Tree([5, 6], [[7, 8], [9]])]
    scores = policy.score(trees, with_hidden=True)
    targets = torch.tensor([7, 8, 9])
    head.weight.data.copy_(source.weight)
    torch.testing.assert_close(head(scores.hidden, targets), scores.token_logps, rtol=1e-5, atol=1e-5)


def test_copies_differ_by_seed() -> None:
    policy = CausalPolicy(tiny("llama"), precision="float32")
    source, spec = policy.inner.get_output_embeddings(), head_spec(policy.inner)
    first, again, other = (OutputHead(source, spec, seed).weight for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_head_that_is_no_matrix_cannot_be_copied() -> None:
    policy = CausalPolicy(tiny("llama"), precision="float32")
    with pytest.raises(ModelError, match="is a Sequential, which cannot be copied"):
        OutputHead(torch.nn.Sequential(), head_spec(policy.inner), 0)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"kind": 1.0}, "there is no head 'kind'"),
        ({"main": 1.0, "brief": -0.5}, "the weight of head 'brief' is -0.5"),
        ({"main": float("nan")}, "the weight of head 'main' is nan"),
        ({"main": float("inf")}, "the weight of head 'main' is inf"),
        ({"main": 0.0, "brief": 0.0}, "all weights are 0"),
        ({}, "all weights are 0"),
    ],
)
def test_weights_that_cannot_be_used(weights: dict[str, float], message: str, tmp_path: Path) -> None:
    model = tiny("llama")
    stored(tmp_path, model, brief=1)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ModelError, match=message):
        mixed(model, tmp_path / "heads.safetensors", weights)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
