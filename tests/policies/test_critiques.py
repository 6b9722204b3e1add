"""Two heads on one body: both read the same states, and lie in one folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from truing.errors import ModelError
from truing.policies.causal import CausalPolicy
from truing.policies.critiques import CritiquePolicy, load_critique_model, stored_head
from truing.policies.loading import load_model, load_tokenizer
from truing.policies.packing import Tree

TREES = [Tree([5, 6, 7, 8], [[9, 10, 11], [12, 13, 14, 15, 16]]), Tree([17, 18], [[19]])]


@pytest.fixture(scope="module")
def policy() -> CritiquePolicy:
    return CritiquePolicy(load_critique_model("truing/tiny", seed=3), load_tokenizer("truing/tiny"))


def test_one_pass_gives_what_each_head_gives_alone(policy: CritiquePolicy) -> None:
    """Against the language model alone, and against its plain states times the head, sequence by sequence."""
    found = policy.score(TREES, signals=("topk_entropy",))
    plain = CausalPolicy(load_model("truing/tiny"), policy.tokenizer).score(TREES, signals=("topk_entropy",))
    assert policy.verdict.layout == "trees"
    assert torch.equal(found.sequence, plain.sequence)
    assert torch.allclose(found.token_logps, plain.token_logps, atol=1e-5)
    assert torch.allclose(found.signals["topk_entropy"], plain.signals["topk_entropy"], atol=1e-5)
    body = load_model("truing/tiny").base_model
    rows = [[*tree.prompt, *branch] for tree in TREES for branch in tree.branches]
    states = [body(input_ids=torch.tensor([row])).last_hidden_state[0, -1] for row in rows]
    head = policy.inner.score.weight
    expected = torch.stack([state @ head[0] for state in states])
    assert found.values is not None
    assert torch.allclose(found.values[:, 0], expected, atol=1e-4)
    assert torch.allclose(policy.values(TREES, budget=8)[:, 0], expected, atol=1e-4)


def test_gradient_reaches_body_and_both_heads(policy: CritiquePolicy) -> None:
    found = policy.score(TREES)
    assert found.values is not None
    for loss in (found.token_logps.sum(), found.values.sum()):
        policy.model.zero_grad()
        loss.backward(retain_graph=True)
        assert policy.inner.base_model.layers[0].mlp.up_proj.weight.grad.abs().sum() > 0  # type: ignore[union-attr]
    assert policy.inner.score.weight.grad is not None
    policy.model.zero_grad()


def test_one_folder_holds_both_heads(policy: CritiquePolicy, tmp_path: Path) -> None:
    policy.inner.save_pretrained(tmp_path)
    head = policy.inner.score.weight
    again = load_critique_model(str(tmp_path), seed=99)
    assert torch.equal(again.score.weight, head)
    # Each head by itself, for those who know of one only.
    assert stored_head(str(tmp_path)) is not None
    writer = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert torch.equal(writer.lm_head.weight, policy.inner.lm_head.weight)
    scorer = AutoModelForSequenceClassification.from_pretrained(tmp_path, num_labels=1)
    assert torch.equal(scorer.score.weight, head)


def test_a_new_head_is_drawn_from_the_seed() -> None:
    weights = [load_critique_model("truing/tiny", seed=seed).score.weight for seed in (1, 1, 2)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert stored_head("truing/tiny") is None


def test_distributions_and_states_are_refused(policy: CritiquePolicy) -> None:
    with pytest.raises(ModelError, match="log-probabilities and scores, no distributions"):
        policy.score(TREES, pooled=True)
