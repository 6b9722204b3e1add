"""Trunk-and-branch scores and gradients equal those of every sequence alone, architecture by architecture."""

from __future__ import annotations

import copy

import pytest
import torch

from tests.policies.models import ARCHITECTURES, tiny
from tests.policies.reference_scores import alone, random_trees
from truing.policies.causal import CausalPolicy


def _gradients(model: torch.nn.Module, logps: torch.Tensor) -> dict[str, torch.Tensor]:
    # A loss that weights every token differently, so that no error can cancel.
    weights = torch.linspace(0.5, 1.5, len(logps))
    model.zero_grad()
    (weights * logps).sum().backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_scores_and_gradients_equal_separate_scoring(name: str) -> None:
    model = tiny(name)
    plain = copy.deepcopy(model)
    trees = random_trees()
    policy = CausalPolicy(model, precision="float32")
    assert policy.verdict.layout == ARCHITECTURES[name][2], policy.verdict.reason

    expected = alone(plain, trees)
    found = policy.score(trees)
    torch.testing.assert_close(found.token_logps, expected, atol=1e-4, rtol=0)
    assert found.count == sum(len(tree.branches) for tree in trees)
    assert found.lengths.tolist() == [float(len(b)) for tree in trees for b in tree.branches]

    wanted, got = _gradients(plain, expected), _gradients(model, found.token_logps)
    assert wanted.keys() == got.keys()
    scale = max(float(g.abs().max()) for g in wanted.values())
    for key, gradient in wanted.items():
        torch.testing.assert_close(
            got[key], gradient, atol=1e-4 * scale, rtol=1e-3, msg=lambda m, k=key: f"{k}: {m}"
        )


@pytest.mark.parametrize("name", ["llama", "qwen3", "gemma2-sliding", "gpt2", "mamba", "t5"])
def test_scoring_in_parts_gives_the_same_numbers_in_the_same_order(name: str) -> None:
    policy = CausalPolicy(tiny(name), precision="float32")
    trees = random_trees()
    whole = policy.score(trees, signals=("entropy",))
    for budget in (1, 15, 10_000):
        parts = policy.score_all(trees, budget=budget, signals=("entropy",))
        torch.testing.assert_close(parts.token_logps, whole.token_logps.detach(), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(parts.signals["entropy"], whole.signals["entropy"], atol=1e-5, rtol=1e-5)
        assert torch.equal(parts.sequence, whole.sequence)


def test_a_branch_does_not_see_its_siblings_and_a_tree_not_its_neighbours() -> None:
    policy = CausalPolicy(tiny("llama"), precision="float32")
    first, second, third, _ = random_trees()
    together = policy.score([first, second, third]).token_logps
    changed = type(third)(third.prompt, [third.branches[0], [5] * len(third.branches[1])])
    other = type(first)(list(reversed(first.prompt)), first.branches)
    apart = policy.score([other, second, changed]).token_logps
    start = sum(len(b) for b in first.branches)
    stop = start + len(second.branches[0]) + len(third.branches[0])
    torch.testing.assert_close(apart[start:stop], together[start:stop], atol=1e-6, rtol=0)
    assert not torch.allclose(apart[:start], together[:start], atol=1e-3)


def test_the_order_of_trees_and_branches_does_not_matter() -> None:
    policy = CausalPolicy(tiny("qwen2"), precision="float32")
    trees = random_trees()
    forward = policy.score(trees)
    backward = policy.score([type(t)(t.prompt, t.branches[::-1]) for t in trees[::-1]])
    sums = forward.total(forward.token_logps)
    torch.testing.assert_close(backward.total(backward.token_logps).flip(0), sums, atol=1e-5, rtol=1e-5)


def test_generation_and_plain_calls_are_untouched() -> None:
    model = tiny("gemma2")
    plain = copy.deepcopy(model)
    CausalPolicy(model, precision="float32")
    ids = torch.tensor([[5, 6, 7, 8, 9], [0, 0, 5, 6, 7]])
    mask = torch.tensor([[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]])
    torch.testing.assert_close(
        model(input_ids=ids, attention_mask=mask).logits[mask.bool()],
        plain(input_ids=ids, attention_mask=mask).logits[mask.bool()],
    )
    options = {"attention_mask": mask, "max_new_tokens": 6, "do_sample": False}
    assert torch.equal(model.generate(ids, **options), plain.generate(ids, **options))


def test_dropout_is_switched_off() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=97, n_embd=32, n_layer=2, n_head=4, attn_pdrop=0.5, resid_pdrop=0.5)
    )
    policy = CausalPolicy(model, precision="float32")
    model.train()
    trees = random_trees()
    assert torch.equal(policy.score(trees).token_logps, policy.score(trees).token_logps)
